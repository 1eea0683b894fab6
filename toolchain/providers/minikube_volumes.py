"""Volumes of Minikube's provisioner, which removes none that it made before its last start."""

from __future__ import annotations

import re
from typing import Any

from cluster_objects.json_tree import part
from console.failure import Failure
from toolchain.kubectl import Kubectl, Object
from toolchain.providers import user_environment

# It gives itself a new identity at each start and leaves the volumes of another one alone, and a
# new claim of the same name and namespace gets the old directory with all that is in it:
# pkg/storage/storage_provisioner.go of Minikube 1.38.1.
_IDENTITY = "hostPathProvisionerIdentity"
_ROOT = "/tmp/hostpath-provisioner"  # noqa: S108  (on the node: a bind mount of /var/hostpath-provisioner)
_PROFILE = "minikube.k8s.io/name"
"""The label of a node with its profile's name (Minikube's bootstrapper puts it there)."""
_NAME = re.compile(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?")
"""What Kubernetes allows as the name of a namespace or claim."""


def directory(volume: Object) -> str | None:
    """Returns the directory on the node of a volume that Minikube's provisioner made for a claim.

    None: another made it.

    Args:
        volume: The PersistentVolume.
    """
    spec = part(volume, "spec")
    claim = part(spec, "claimRef")
    names = [str(claim.get(key) or "") for key in ("namespace", "name")]
    expected = "/".join([_ROOT, *names])
    made = _IDENTITY in part(volume, "metadata", "annotations")
    named = all(_NAME.fullmatch(it) for it in names)
    same = part(spec, "hostPath").get("path") == expected
    return expected if made and named and same else None


def remove(folder: str, kubectl: Kubectl) -> list[str]:
    """Removes a volume's directory from every node, each of which may have one of its own.

    Args:
        folder: As `directory` has told it.
        kubectl: The cluster.

    Returns:
        The nodes' names.

    Raises:
        Failure: A node cannot be reached by this machine's Minikube, or is not the cluster's.
        KubectlError: The cluster does not tell its nodes.
    """
    nodes = kubectl.items("nodes")
    for node in nodes:
        _remove_from(node, folder)
    return [_name(it) for it in nodes]


def _remove_from(node: Object, folder: str) -> None:
    profile = part(node, "metadata", "labels").get(_PROFILE) or ""
    machine = part(node, "status", "nodeInfo").get("machineID") or ""
    # A profile of the same name on this machine may be another cluster than the one that the
    # context leads to.
    script = (
        f'[ "$(cat /etc/machine-id)" = "{machine}" ] || {{ echo it is another machine; exit 1; }}; '
        f"sudo rm -rf {folder} && echo removed"
    )
    answer = user_environment.ask(
        ["minikube", "ssh", "--profile", profile, "--node", _name(node), script]
    )
    if answer.code or "removed" not in answer.text.split():
        reason = answer.text.strip() or answer.reason
        raise Failure(
            f"Not everything is removed: {folder} on node {_name(node)}, with the data of a claim, "
            f"is left, and Minikube does not reach it ({reason[:200]}); remove it there and run "
            "`make down` again."
        )


def _name(node: Any) -> str:
    return str(part(node, "metadata").get("name") or "")
