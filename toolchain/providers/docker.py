"""What the Docker CLI tells of this machine's Docker."""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from cluster_objects.json_tree import part, parts
from console.failure import Failure
from toolchain import missing, ui
from toolchain.providers import user_environment

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Docker:
    """The Docker CLI and the daemon of one of its contexts."""

    context: str
    buildx: bool | None
    """None: a stopped daemon's old CLI does not tell."""
    silence: str | None
    """Why the daemon does not answer; None: it does."""
    system: str = ""
    """The daemon's operating system; "Docker Desktop" where that brings the virtual machine."""
    host: str = ""
    """Name of the machine that the daemon runs on."""
    rootless: bool = False
    image_store: bool = False
    """Whether images are kept by containerd, from which Docker Desktop's nodes of kind pull."""

    @property
    def is_desktop(self) -> bool:
        """Whether this is Docker Desktop, on whatever system."""
        return self.system == "Docker Desktop"

    @property
    def is_native(self) -> bool:
        """Whether the containers' addresses can be reached from here.

        They are in the daemon's network namespace: another machine's, a virtual machine's or that
        of a rootless daemon is none of ours. A virtual machine of Colima's or Rancher Desktop's has
        a host name of its own.
        """
        return (
            sys.platform == "linux"
            and self.silence is None
            and not self.is_desktop
            and not self.rootless
            and self.host == socket.gethostname()
        )


def ask(context: str | None = None, *, more: dict[str, str] | None = None) -> Docker | None:
    """Returns the Docker CLI and its daemon in one question.

    Args:
        context: A docker context; None: the person's current one.
        more: Variables on top of the person's.

    Returns:
        None: there is no Docker CLI (what Podman puts in its place is none).
    """
    named = ["--context", context] if context else []
    answer = user_environment.ask(["docker", *named, "info", "--format", "{{json .}}"], more=more)
    told = answer.object()
    if "ClientInfo" not in told:
        # An old CLI answers a stopped daemon with words only.
        if answer.code > 0 and "docker" in answer.errors.lower():
            return Docker(context=context or "default", buildx=None, silence=answer.reason)
        return None
    client = part(told, "ClientInfo")
    plugins = [it for it in parts(client, "Plugins") if not it.get("Err")]
    errors = told.get("ServerErrors") or ()
    silence = str(errors[0]) if errors else None
    if silence is None and (answer.code or not told.get("ServerVersion")):
        silence = answer.reason
    return Docker(
        context=context or str(client.get("Context") or "default"),
        buildx=any(it.get("Name") == "buildx" for it in plugins),
        silence=silence,
        system=str(told.get("OperatingSystem") or ""),
        host=str(told.get("Name") or ""),
        rootless=any("rootless" in str(it) for it in told.get("SecurityOptions") or ()),
        image_store=any(
            "containerd.snapshotter" in str(it) for it in told.get("DriverStatus") or ()
        ),
    )


def with_buildx(what: str) -> Docker:
    """Returns the Docker CLI with what builds images; its daemon may be silent.

    Args:
        what: What needs it, as the beginning of a sentence.

    Raises:
        Failure: There is none, or it has no buildx.
    """
    found = ask()
    if found is None:
        raise missing.failure("docker", what)
    if found.buildx is False:
        raise missing.failure("buildx", what)
    return found


def answering(found: Docker, what: str) -> Docker:
    """Returns the same Docker, if its daemon answers.

    Raises:
        Failure: It does not; the sentence says what starts it, or lets this user in.
    """
    if found.silence is None:
        return found
    if "permission denied" in found.silence.lower():
        raise Failure(
            f"{what} needs Docker, which does not let this user in ({found.silence[:160]}); run "
            "`sudo usermod -aG docker $USER`, log in again and run again; nothing was changed."
        )
    raise Failure(
        f"{what} needs Docker, which does not answer ({found.silence[:160]}); start it with "
        f"{missing.start_docker()} and run again; nothing was changed."
    )


def running(what: str) -> Docker:
    """Returns a Docker that answers, with what builds images.

    Raises:
        Failure: Something of it is missing.
    """
    return answering(with_buildx(what), what)


def is_local(found: Docker) -> bool:
    """Returns whether the daemon maps ports on this machine.

    Another machine's are not at 127.0.0.1 here.
    """
    if found.is_native:
        return True
    host = user_environment.environment().get("DOCKER_HOST") if found.context == "default" else None
    if not host:
        shown = ["--format", "{{.Endpoints.docker.Host}}"]
        host = user_environment.ask(
            ["docker", "context", "inspect", found.context, *shown]
        ).text.strip()
    parts = urlsplit(host)
    return parts.scheme in {"unix", "npipe", "fd"} or parts.hostname in {LOOPBACK, "localhost"}


def free(ports: Sequence[int]) -> list[int]:
    """Returns the ports that nothing on this machine holds.

    Each that is taken is said in a line.
    """
    result: list[int] = []
    for port in ports:
        if _taken(port):
            ui.say(
                f"  port {port} is taken on this machine, so the new cluster gets none of that "
                "number here"
            )
        else:
            result.append(port)
    return result


def _taken(port: int) -> bool:
    # Windows and macOS let two bind to the same port; the one who listens is found by asking.
    with socket.socket() as client:
        client.settimeout(0.3)
        if client.connect_ex((LOOPBACK, port)) == 0:
            return True
    with socket.socket() as server:
        try:
            server.bind((LOOPBACK, port))
        except OSError:
            return True
    return False
