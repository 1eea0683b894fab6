"""Minikube: its profiles, and which of its ways an image takes into a profile's nodes."""

from __future__ import annotations

import ipaddress
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolchain import paths, ui
from toolchain.providers import (
    docker,
    docker_context,
    kubeconfig,
    missing,
    policies,
    remote_builder,
    tool,
    user_environment,
)
from toolchain.providers.docker import Docker, Node
from toolchain.providers.provider import Cluster

_RUNNING = {"Running", "OK", "HAppy", "Degraded", "Warning"}
"""What ``profile list`` calls a running cluster: up to 1.35 an API server's state, later a name for a code of 200."""
_CONTAINERS = {"docker", "podman"}
_USUAL_PODS = "10.244.0.0/16"
"""Minikube's own for every network plugin (its pkg/minikube/cni/cni.go, DefaultPodCIDR)."""
_BUILDKIT = "/run/buildkit/buildkitd.sock"


@dataclass(frozen=True, kw_only=True)
class _Profile:
    """What Minikube has written down of a profile."""

    name: str
    driver: str
    runtime: str
    nodes: tuple[str, ...]
    """Names of the nodes' machines, the first control plane's first."""
    address: str
    """Of the first node; Minikube writes it anew at each start (`minikube ip` prints the same)."""
    network: str
    pods: str
    """The pods' addresses: what is open to the outside stays closed to other namespaces."""

    @property
    def in_containers(self) -> bool:
        return self.driver in _CONTAINERS


@dataclass(frozen=True, kw_only=True)
class _Status:
    """What Minikube says of a profile now."""

    running: bool
    """Whether the API server answers, and every node runs."""
    kubeconfig: bool
    """Whether the kubeconfig that Minikube writes to has the API server's address of now."""


class Minikube:
    """Profiles of an installed Minikube."""

    key = "minikube"
    title = "Minikube profile"
    usual = "minikube"

    def __init__(self) -> None:
        """Nothing is asked yet."""
        # What `start` has just asked of a running profile, so that `found` need not ask again.
        self._asked: dict[str, tuple[Docker, _Status]] = {}

    def installed(self) -> bool:
        """Whether the ``minikube`` command is on PATH."""
        return shutil.which("minikube") is not None

    def clusters(self) -> list[Cluster]:
        """The profiles; one command."""
        return [
            Cluster(name=str(it.get("Name")), running=it.get("Status") in _RUNNING)
            for it in _profiles()
        ]

    def named_by(self, context: str) -> str | None:
        """A profile's context is called like the profile."""
        if not self.installed():
            return None
        return next((context for it in _profiles("--light") if it.get("Name") == context), None)

    def start(self, name: str, ports: Sequence[int]) -> None:
        """Start a profile that is stopped, and make it where there is none.

        What building needs is looked for before anything is started.

        Raises:
            Failure: Minikube or something of Docker is missing, or Minikube cannot start.
        """
        what = f"{self.title} {name}"
        if not self.installed():
            raise missing.failure("minikube", what)
        found = docker.with_buildx(what)
        status = _status(name)
        if status.running:
            self._asked[name] = (found, status)
            return
        profile = _profile(name)
        if profile and profile.driver == "docker":
            docker.answering(found, what)
        command = ["minikube", "start", "--profile", name]
        if profile is None:
            command += ["--cni", "calico"]
            # Without effect where the driver makes a virtual machine, whose address is reached from here.
            mapped = [f"{docker.LOOPBACK}:{port}:{port}" for port in docker.free(ports)]
            command += ["--ports", ",".join(mapped)] if mapped else []
        with ui.step(f"Minikube profile {name}"):
            tool.run(
                command,
                log=paths.LOCAL / "log" / "minikube.log",
                what=f"{'starting' if profile else 'making'} Minikube profile {name}",
                hint="start its driver (Docker, usually) and run `make up` again",
                remove=f"minikube delete --profile {name}",
            )

    def found(self, name: str, ports: Sequence[int]) -> dict[str, Any]:
        """Context, node address and builder of a running profile.

        Raises:
            Failure: There is no such profile any more, or no image that is built here would reach every node.
        """
        profile = _profile(name)
        if profile is None:
            raise ui.Failure(
                f"Minikube does not know the profile {name}; `minikube profile list` shows those it has; correct "
                "cluster.name in the stack's todo:settings."
            )
        host, status = self._asked.pop(name, None) or (
            docker.with_buildx(f"{self.title} {name}"),
            _status(name),
        )
        containers = _containers(profile)
        cluster: dict[str, Any] = {"provider": self.key, "name": name, "context": name}
        cluster |= _kubeconfig(name, status)
        if address := _address(profile, containers, ports, host):
            cluster["nodeAddress"] = address
        cluster["podCidr"] = profile.pods
        return {
            "cluster": cluster,
            "images": {"mode": "load", "builder": _builder(profile, containers, host)},
        }

    def policies(self, name: str) -> str:
        """Ask the cluster, as a network plugin can be put into it at any time."""
        own = kubeconfig.path(self.key, name)
        flags = ["--kubeconfig", str(own)] if own.exists() else []
        return policies.line([*flags, "--context", name])

    def stop(self, name: str) -> None:
        """Stop the profile; its data stays.

        Raises:
            Failure: Minikube cannot stop it.
        """
        _run("stop", name, "stopping")

    def delete(self, name: str) -> None:
        """Remove the profile, and what this clone has written down of it.

        Raises:
            Failure: Minikube cannot remove it.
        """
        _run("delete", name, "removing")
        docker_context.remove(docker_context.called(name))
        remote_builder.remove(_builder_name(name))
        kubeconfig.path(self.key, name).unlink(missing_ok=True)


def _run(word: str, name: str, what: str) -> None:
    tool.run(
        ["minikube", word, "--profile", name],
        log=paths.LOCAL / "log" / "minikube.log",
        what=f"{what} Minikube profile {name}",
    )


def _profiles(*flags: str) -> list[dict[str, Any]]:
    """The profiles as Minikube lists them; none where it cannot tell.

    Args:
        flags: ``--light`` leaves out whether they run, for which Minikube logs into each.
    """
    listed = ["minikube", "profile", "list", "--output", "json", *flags]
    return user_environment.parts(user_environment.ask(listed).object(), "valid")


def _profile(name: str) -> _Profile | None:
    for it in _profiles("--light"):
        if it.get("Name") == name:
            config = user_environment.part(it, "Config")
            kubernetes = user_environment.part(config, "KubernetesConfig")
            nodes = user_environment.parts(config, "Nodes") or [{}]
            options = user_environment.parts(kubernetes, "ExtraOptions")
            # The first machine is called after the profile, the others minikube-m02, … (its config.MachineName).
            others = (f"{name}-{node.get('Name')}" for node in nodes[1:])
            return _Profile(
                name=name,
                driver=str(config.get("Driver") or ""),
                # Minikube's own default while it has been writing this file; 1.39 writes "containerd" itself.
                runtime=str(kubernetes.get("ContainerRuntime") or "docker"),
                nodes=(name, *others),
                address=str(nodes[0].get("IP") or ""),
                network=str(config.get("Network") or ""),
                pods=next((it for it in map(_pod_cidr, options) if it), _USUAL_PODS),
            )
    return None


def _pod_cidr(option: dict[str, Any]) -> str | None:
    """The pods' addresses, if that is what an ``--extra-config`` says."""
    named = (option.get("Component"), option.get("Key")) == ("kubeadm", "pod-network-cidr")
    return str(option.get("Value")) if named else None


def _status(name: str) -> _Status:
    """Ask for the nodes: one is an object, several are a list, none is ``null``."""
    answer = user_environment.ask(["minikube", "status", "--profile", name, "--output", "json"])
    # With a profile that does not exist, the documents are events, not nodes.
    nodes = [it for it in answer.objects() if "Host" in it]
    first = nodes[0] if nodes else {}
    return _Status(
        running=first.get("APIServer") == "Running"
        and all(it.get("Host") == "Running" for it in nodes),
        kubeconfig=first.get("Kubeconfig") == "Configured",
    )


def _kubeconfig(name: str, status: _Status) -> dict[str, str]:
    """A kubeconfig of this clone's own, where the person's has no such context or an old address.

    Raises:
        Failure: Minikube does not write one.
    """
    file = kubeconfig.path("minikube", name)
    if status.kubeconfig and kubeconfig.cluster_name(name) == name:
        file.unlink(missing_ok=True)
        return {}
    paths.LOCAL.mkdir(exist_ok=True)
    answer = user_environment.ask(
        ["minikube", "update-context", "--profile", name], more={"KUBECONFIG": str(file)}
    )
    if answer.code or not file.exists():
        raise ui.Failure(
            f"Your kubeconfig has no context {name} that leads to Minikube profile {name}, and Minikube writes none "
            f"({answer.reason}); run `minikube update-context --profile {name}` and run again."
        )
    file.chmod(0o600)
    return {"kubeconfig": str(file)}


def _containers(profile: _Profile) -> list[Node]:
    """The profile's nodes where they are containers, the first control plane first."""
    if not profile.in_containers:
        return []
    return docker.nodes(profile.nodes, cli=profile.driver)


def _address(
    profile: _Profile, containers: Sequence[Node], ports: Sequence[int], host: Docker
) -> str | None:
    if profile.in_containers:
        return docker.reach(containers, ports, host)
    if profile.driver.startswith("qemu") and profile.network in {"builtin", "user"}:
        return None  # QEMU's own network leads out only
    return profile.address if _is_address(profile.address) else None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _builder(profile: _Profile, containers: Sequence[Node], host: Docker) -> dict[str, str]:
    """How an image gets into every node.

    Raises:
        Failure: It would have to be built in this machine's Docker, which does not answer; or Minikube does not tell
            how its own Docker is reached.
    """
    name = _builder_name(profile.name)
    single = profile.nodes == (profile.name,)
    inner = single and profile.runtime == "docker"
    buildkit = single and profile.runtime == "containerd" and profile.driver == "docker"
    buildkit = buildkit and bool(containers) and _has_buildkit(profile.name)
    # A profile that was made anew may have another runtime; buildx prefers a builder to a context of its name.
    if not buildkit:
        remote_builder.remove(name)
    if not inner or profile.driver == "none":
        docker_context.remove(docker_context.called(profile.name))
    if inner and profile.driver != "none":
        return {"name": _inner_docker(profile.name), "exporter": "docker"}
    if buildkit:
        remote_builder.write(name, f"docker-container://{profile.name}")
        return {"name": name, "exporter": "image-store"}
    host = docker.answering(host, f"Bringing images into Minikube profile {profile.name}")
    # Without a driver, the node is this machine, and its Docker the person's.
    return {"name": host.context, "exporter": "docker" if inner else "archive"}


def _builder_name(profile: str) -> str:
    return f"todo-{profile}"


def _has_buildkit(container: str) -> bool:
    """Whether the node's own BuildKit listens; its images are the kubelet's (kicbase's buildkitd.toml)."""
    return user_environment.ask(["docker", "exec", container, "test", "-S", _BUILDKIT]).code == 0


def _inner_docker(profile: str) -> str:
    """A docker context for the node's Docker, made anew only when the old one does not lead to this node.

    ``docker-env`` reloads a daemon that it cannot talk to, and the port changes at each start: the context that is there
    is tried first, and so that no other profile's node on that port (all have one certificate authority) is taken for
    this one, the daemon has to say the node's name.

    Returns:
        The context's name.

    Raises:
        Failure: The node's Docker cannot be reached.
    """
    docker_context.mirror()
    name = docker_context.called(profile)
    if docker_context.exists(name) and _answers(name, profile) is None:
        return name
    command = ["minikube", "docker-env", "--profile", profile, "--shell", "none"]
    answer = user_environment.ask([*command, "--output", "json"])
    told = answer.object() if answer.code == 0 else {}
    host, certificates = str(told.get("DOCKER_HOST", "")), str(told.get("DOCKER_CERT_PATH", ""))
    if not certificates or not Path(certificates, "cert.pem").exists():
        why = answer.reason if answer.code else "it names no certificates"
    else:
        docker_context.write(name, host, Path(certificates))
        why = _answers(name, profile)
        if why is None:
            return name
    raise ui.Failure(
        f"The Docker of Minikube profile {profile} cannot be reached ({why[:200]}), so no image can be built in it; "
        f"run `minikube stop --profile {profile}` and `make up` again."
    )


def _answers(context: str, profile: str) -> str | None:
    """Why a context does not lead to the profile's node; None: it does."""
    inner = docker.ask(context, more={"DOCKER_CONFIG": str(paths.DOCKER_CONFIG)})
    if inner is None or inner.silence is not None:
        return inner.silence if inner and inner.silence else "the docker command does not tell"
    return None if inner.host == profile else f"{inner.host} answers in its place"
