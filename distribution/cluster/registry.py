"""The add-ons' registry, as the node's containerd and BuildKit know it: whom they trust there."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from addons.names import REGISTRY_PORT
from console.failure import Failure
from distribution.cluster import network
from toolchain import ui, whole_file

ADDRESS = f"{network.NODE_ADDRESS}:{REGISTRY_PORT}"
"""Where it answers, to the node and to this machine: what images that are in it begin with."""
_BUILDKIT, _CONTAINERD = "buildkitd.toml", "containerd.toml"


def check(given: Mapping[str, Any]) -> None:
    """Refuses a registry that the node would not trust, since it asks at one address alone.

    Args:
        given: The block `registry` of the add-ons' settings, as the stack file has it.

    Raises:
        Failure: It is to answer elsewhere.
    """
    host = (given.get("hosts") or [network.NODE_ADDRESS])[0]
    port = given.get("nodePort") or REGISTRY_PORT
    if f"{host}:{port}" != ADDRESS:
        raise Failure(
            f"The registry would answer at {host}:{port}, but the embedded cluster trusts it at "
            f"{ADDRESS} alone; leave hosts and nodePort out of todo-addons:settings.registry, and "
            "run this again; nothing was changed."
        )


def folder(root: Path) -> Path:
    """Returns where certificates of registries are, in a folder for each address.

    Both programs take `*.crt` in it for authorities, and look whenever they ask the registry: what
    is trusted changes while they run.
    """
    return root / "config" / "certs.d"


def trust(root: Path, authority: str | None) -> None:
    """Has the node trust the registry's certificate.

    Args:
        root: The cluster's folder.
        authority: PEM text of who has signed it; None: there is no registry.
    """
    own = folder(root) / ADDRESS
    if authority is None:
        shutil.rmtree(own, ignore_errors=True)
        return
    own.mkdir(parents=True, exist_ok=True)
    whole_file.replace(own / "ca.crt", authority)
    if not _is_looked_for(root):
        ui.say(
            "  the cluster was started by a version that knew no registry, so its node does not "
            "trust it yet: run `make cluster-stop cluster-start` once"
        )


def _is_looked_for(root: Path) -> bool:
    """Returns whether both programs were started with a configuration that names the folder."""
    config = root / "config"
    return all(str(folder(root)) in (config / it).read_text() for it in (_BUILDKIT, _CONTAINERD))
