"""A buildx builder of driver `remote`.

It builds in a BuildKit that is already there, such as a node's own.
"""

from __future__ import annotations

import json
from pathlib import Path

from cluster_objects.json_tree import parts
from console.failure import Failure
from toolchain import environment, paths


def write(name: str, endpoint: str) -> None:
    """Makes a builder as `docker buildx create --driver remote` does, without asking the endpoint.

    Args:
        name: The builder.
        endpoint: Where its BuildKit is: `unix://…`, `docker-container://…`.

    Raises:
        Failure: The user has a builder of that name which leads somewhere else.
    """
    node = {
        "Name": f"{name}0",
        "Endpoint": endpoint,
        "Platforms": None,
        "DriverOpts": None,
        "Flags": None,
        "Files": None,
    }
    instance = {"Name": name, "Driver": "remote", "Nodes": [node], "Dynamic": False}
    file = _file(name)
    if file.exists() and not _leads_to(file, endpoint):
        raise Failure(
            f"You have a buildx builder {name} of your own, which leads elsewhere than to "
            f"{endpoint}: rename it, or unset BUILDX_CONFIG, so that this clone keeps its builders "
            "apart, and run again."
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(instance))


def remove(name: str, endpoint: str) -> None:
    """Forgets a builder that leads to an endpoint; one of the user's that leads elsewhere stays."""
    file = _file(name)
    if _leads_to(file, endpoint):
        file.unlink()


def _file(name: str) -> Path:
    return environment.buildx_config() / "instances" / name


def _leads_to(file: Path, endpoint: str) -> bool:
    """Returns whether a builder is ours: in this clone's own folder all are, broken ones too."""
    if file.is_relative_to(paths.BUILDX_CONFIG):
        return file.exists()
    try:
        nodes = parts(json.loads(file.read_text()), "Nodes")
    except (OSError, ValueError):
        return False
    return [it.get("Endpoint") for it in nodes] == [endpoint]
