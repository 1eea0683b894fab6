"""Where everything that set-up makes is kept.

Two places only: a build cache shared by all clones (XDG cache) and `.local/` in this clone, which
holds the Pulumi state, the passphrase, what was found out for each stack and the embedded cluster.
Both are safe to delete (`.local/` after `make down` of every stack).
"""

from __future__ import annotations

import os
from pathlib import Path

from console.failure import Failure

PROJECT = Path(__file__).resolve().parent.parent
LOCAL = PROJECT / ".local"
BIN = LOCAL / "bin"
CLUSTER = LOCAL / "cluster"
PULUMI_STATE = LOCAL / "pulumi"
PASSPHRASE_FILE = LOCAL / "passphrase"
BUILDX_CONFIG = LOCAL / "buildx"
DOCKER_CONFIG = LOCAL / "docker"
VENV = PROJECT / ".venv"
MODULES = PROJECT / "distribution" / "modules"
PYPROJECT = PROJECT / "pyproject.toml"
REQUIREMENTS = PROJECT / "requirements.txt"
LOCK = PROJECT / "requirements.lock"
CONSTRAINTS = PROJECT / "toolchain" / "constraints.txt"


def addon_settings(stack: str) -> Path:
    """Returns what `make addons` found out for one stack of the add-ons.

    `addons/settings/found.py` reads the same file.
    """
    return LOCAL / f"settings.addons.{stack}.json"


def machine_settings(stack: str) -> Path:
    """Returns what `make up` found out for one stack.

    `components/todo/settings/found.py` reads the same file.
    """
    return LOCAL / f"settings.{stack}.json"


def home() -> Path:
    """Returns the user's home folder.

    Raises:
        Failure: Nothing says which it is, as of a container's user who is in no list.
    """
    try:
        return Path.home()
    except RuntimeError:
        raise Failure(
            "This user has no home folder, in which tools keep their settings; set HOME to a "
            "folder and run again."
        ) from None


def cache() -> Path:
    """Returns the build cache outside the work tree.

    `$XDG_CACHE_HOME/todo-kubernetes` (default `~/.cache`).
    """
    base = os.environ.get("XDG_CACHE_HOME") or home() / ".cache"
    return Path(base) / "todo-kubernetes"


def pulumi_home() -> Path:
    """Returns Pulumi's own folder: `$PULUMI_HOME` or `~/.pulumi`."""
    return Path(os.environ.get("PULUMI_HOME") or home() / ".pulumi")


def pulumi_plugin(name: str, version: str) -> Path:
    """Returns where Pulumi looks for the program of a plugin."""
    folder = pulumi_home() / "plugins" / f"resource-{name}-v{version}"
    return folder / f"pulumi-resource-{name}"
