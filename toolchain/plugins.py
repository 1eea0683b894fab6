"""What a Pulumi that was built here does without: plugins that are not built, or not any more.

Any other Pulumi fetches them. Those that are built with it are put in their place by
`tools.ensure_pulumi`, whenever they are gone; pulumi-docker's is not built.
"""

from __future__ import annotations

import json
import shutil
from typing import Any

from cluster_objects.json_tree import Json, part
from console.failure import Failure
from toolchain import paths
from toolchain.state import all_resources

_DOCKER = "docker"
_PROVIDER = "pulumi:providers:"
"""Begins the type of a plugin's own resource in a state."""


def check_settings(settings: dict[str, Any], file: str) -> None:
    """Sees that the plugin of the engine that the settings choose is there.

    Args:
        settings: The stack's `todo:settings`.
        file: The name of the stack file.

    Raises:
        Failure: It is not.
    """
    if part(settings, "images", "builder").get("engine") != "docker":
        return
    version = _wanted_version()
    if not _is_there(_DOCKER, version):
        raise Failure(
            f"images.builder.engine is docker in {file}, which needs Pulumi's docker plugin "
            f"{version}, and it is not built here as Pulumi is: choose docker-build, "
            f"{_ways(_DOCKER, version)}; nothing was changed."
        )


def check_update(stack: str, state: Json | None) -> None:
    """Sees that Pulumi has what it needs to change or forget what a state has.

    Args:
        stack: The stack's name.
        state: Its state.

    Raises:
        Failure: Images were made by a plugin that is not there.
    """
    # All others are in the program too, with the versions that are there.
    for version in (version for name, version in _absent(state) if name == _DOCKER):
        raise Failure(
            f"Stack {stack} has images of Pulumi's docker plugin {version}, without which Pulumi "
            "can neither change nor forget them, and it is not built here as Pulumi is: "
            f"{_ways(_DOCKER, version)}; nothing was changed."
        )


def check_removal(stack: str, state: Json | None, up: str) -> None:
    """Sees that Pulumi has what it needs to remove what a state has.

    It removes with the very versions of the plugins that the last update was made with.

    Args:
        stack: The stack's name.
        state: Its state.
        up: The command that updates it.

    Raises:
        Failure: One of them is not there.
    """
    check_update(stack, state)
    for name, version in _absent(state):
        raise Failure(
            f"Stack {stack} was deployed with Pulumi's {name} plugin {version}, with which alone "
            f"Pulumi removes it, and which is not here: run `{up}`, which goes on with the one "
            f"that is built here, then this again; or {_ways(name, version)}; nothing was changed."
        )


def _wanted_version() -> str:
    """Returns the version that pulumi-docker's Python package asks for; Pulumi takes no other."""
    (about,) = paths.VENV.glob("lib/python3*/site-packages/pulumi_docker/pulumi-plugin.json")
    return json.loads(about.read_text())["version"]


def _absent(state: Json | None) -> list[tuple[str, str]]:
    """Returns names and versions of the plugins that a state needs and that are not there."""
    wanted = [
        (str(it["type"]).removeprefix(_PROVIDER), str(part(it, "inputs").get("version") or ""))
        for it in all_resources(state)
        if str(it["type"]).startswith(_PROVIDER)
    ]
    return [(name, version) for name, version in wanted if version and not _is_there(name, version)]


def _is_there(name: str, version: str) -> bool:
    """Returns whether Pulumi finds a plugin: in its own folder, else on PATH."""
    program = paths.pulumi_plugin(name, version)
    return program.is_file() or shutil.which(program.name) is not None


def _ways(name: str, version: str) -> str:
    return (
        "install Pulumi (which fetches it), or get it with `pulumi plugin install resource "
        f"{name} {version}`"
    )
