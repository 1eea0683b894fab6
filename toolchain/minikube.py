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
        Failure: Minikube cannot start (its driver, often Docker, is stopped), or the buildx CLI is missing.
    """
    status = ui.capture(["minikube", "status", "--profile", profile, "--output", "json"])
    if status is None or json.loads(status).get("APIServer") != "Running":
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
    address = ui.capture(["minikube", "ip", "--profile", profile])
    return {
        "cluster": {"context": profile, "nodeAddress": address},
        "images": {"mode": "load", "builder": {"exporter": "docker"}},
    }


def docker_environment(profile: str) -> dict[str, str]:
    """Variables that point the Docker CLI at Minikube's own daemon (empty when it does not answer)."""
    text = ui.capture(["minikube", "docker-env", "--profile", profile, "--shell", "none"]) or ""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
