"""A buildx builder of driver ``remote``: it builds in a BuildKit that is already there, such as a node's own."""

from __future__ import annotations

import json

from toolchain import environment


def write(name: str, endpoint: str) -> None:
    """Make a builder as ``docker buildx create --driver remote`` does, without asking the endpoint.

    Args:
        name: The builder.
        endpoint: Where its BuildKit is: ``unix://…``, ``docker-container://…``.
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
    folder = environment.buildx_config() / "instances"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(instance))


def remove(name: str) -> None:
    """Forget a builder."""
    (environment.buildx_config() / "instances" / name).unlink(missing_ok=True)
