"""The plugin of Pulumi's that a stack may need and that is not built here: pulumi-docker's."""

from __future__ import annotations

import json
import shutil
from typing import Any

from cluster_objects.json_tree import part
from console.failure import Failure
from toolchain import paths


def check(settings: dict[str, Any], file: str) -> None:
    """Sees that a Pulumi that was built here has the plugin of the engine that the settings choose.

    Any other Pulumi fetches it. The plugins that are built with Pulumi are put in their place by
    `tools.ensure_pulumi`, whenever they are gone.

    Args:
        settings: The stack's `todo:settings`.
        file: The name of the stack file.

    Raises:
        Failure: It is not there.
    """
    if part(settings, "images", "builder").get("engine") != "docker":
        return
    version = _wanted_version()
    folder = paths.pulumi_home() / "plugins" / f"resource-docker-v{version}"
    # As Pulumi looks: in its own folder, else on PATH.
    if (folder / "pulumi-resource-docker").is_file() or shutil.which("pulumi-resource-docker"):
        return
    raise Failure(
        f"images.builder.engine is docker in {file}, which needs Pulumi's docker plugin {version}, "
        "and it is not built here as Pulumi is: choose docker-build, install Pulumi (which "
        f"fetches it), or get it with `pulumi plugin install resource docker {version}`; nothing "
        "was changed."
    )


def _wanted_version() -> str:
    """Returns the version that the Python package asks for; Pulumi takes no other."""
    (about,) = paths.VENV.glob("lib/python3*/site-packages/pulumi_docker/pulumi-plugin.json")
    return json.loads(about.read_text())["version"]
