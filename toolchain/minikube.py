"""An installed Minikube: started when stopped, its own Docker daemon used as the image builder."""

from __future__ import annotations

import json
import shutil

from toolchain import paths, ui


def installed() -> bool:
    """Whether the ``minikube`` command is on PATH."""
    return shutil.which("minikube") is not None


def start(profile: str) -> dict[str, object]:
    """Start the profile if it is stopped.

    Returns:
        The machine's settings for the stack: context, node address, image builder.

    Raises:
        Failure: Minikube cannot start (its driver, often Docker, is stopped), the buildx CLI is missing, or the profile
            has no Docker daemon that every pod's image could be built in.
    """
    text = ui.capture(["minikube", "status", "--profile", profile, "--output", "json"])
    # One node is an object, several are a list of them.
    status = json.loads(text) if text else {}
    if isinstance(status, list):
        raise _without_docker(profile, f"has {len(status)} nodes")
    if status.get("APIServer") != "Running":
        ui.run(
            ["minikube", "start", "--profile", profile],
            log=paths.LOCAL / "log" / "minikube.log",
            what=f"starting Minikube profile {profile}",
            hint="start its driver (Docker, usually) and run `make up` again",
        )
    if ui.capture(["docker", "buildx", "version"]) is None:
        raise ui.Failure(
            "Building inside Minikube needs the Docker CLI with buildx; install docker-buildx-plugin and run again."
        )
    if not docker_environment(profile) and not _on_the_host(profile):
        raise _without_docker(profile, "has no Docker daemon (`minikube docker-env` fails)")
    address = ui.capture(["minikube", "ip", "--profile", profile])
    return {
        "cluster": {"context": profile, "nodeAddress": address},
        "images": {"mode": "load", "builder": {"exporter": "docker"}},
    }


def _on_the_host(profile: str) -> bool:
    """Whether the node is this machine itself (``--driver=none``): its Docker daemon is the right one."""
    profiles = json.loads(ui.capture(["minikube", "profile", "list", "--output", "json"]) or "{}")
    return any(
        it.get("Name") == profile and (it.get("Config") or {}).get("Driver") == "none"
        for it in profiles.get("valid") or ()
    )


def _without_docker(profile: str, why: str) -> ui.Failure:
    """Images that are built in a node's Docker daemon are on that node alone."""
    return ui.Failure(
        f"Minikube profile {profile} {why}, but images are built in the Docker daemon of its one node: use a profile made "
        "with `minikube start --nodes=1 --container-runtime=docker`, or set images.mode: registry and cluster.context: "
        f"{profile} in the stack's todo:settings; nothing was changed."
    )


def docker_environment(profile: str) -> dict[str, str]:
    """Variables that point the Docker CLI at Minikube's own daemon (empty when it does not answer)."""
    text = ui.capture(["minikube", "docker-env", "--profile", profile, "--shell", "none"]) or ""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
