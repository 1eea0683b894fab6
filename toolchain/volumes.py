"""What a stack's claims leave behind in the cluster.

PersistentVolumes, which are in no namespace, and their data.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from cluster_objects.json_tree import part
from toolchain import ui
from toolchain.kubectl import Kubectl, KubectlError, Object
from toolchain.providers import minikube_volumes
from toolchain.survey import Found, Target, metadata

_TIMEOUT_SECONDS = 30.0
"""A provisioner removes a directory at once, a disk once it is detached from its node."""
_MINIKUBE_TIMEOUT_SECONDS = 5.0
"""Minikube's own removes a directory at once or never."""
_POLL_SECONDS = 0.5
_WITHOUT_CLAIM = ("Released", "Failed")
"""Phases of a volume whose claim is gone (Kubernetes: Persistent Volumes, "Phase")."""
_PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
"""Names a volume's provisioner (Kubernetes: Well-Known Labels, Annotations and Taints)."""


def noted(target: Target, found: Found, kubectl: Kubectl) -> list[Object]:
    """Returns the volumes that have to go with the stack's claims.

    Those of claims that an earlier removal, cut off or by hand, has deleted are among them where
    the namespace was the stack's own.

    Args:
        target: Where the stack is.
        found: What is in its namespace, while the claims are still there.
        kubectl: The cluster.
    """
    try:
        volumes = kubectl.items("persistentvolumes")
    except KubectlError as error:
        ui.say(
            f"  The volumes of the claims cannot be listed ({str(error).rstrip('.')}), so it is "
            "not looked at whether they go, too."
        )
        return []
    gone = found.own or (found.namespace is None and target.known)
    return [
        it
        for it in volumes
        if _claim(it, "namespace") == target.namespace
        and (_claim(it, "name") in found.claims or (gone and _phase(it) in _WITHOUT_CLAIM))
    ]


def remove(volumes: Sequence[Object], kubectl: Kubectl) -> None:
    """Sees to it that volumes of deleted claims go; says which stay, why, and what removes them.

    Args:
        volumes: As they were noted while the claims were there.
        kubectl: The cluster.

    Raises:
        Failure: Data that nothing else removes cannot be removed.
        KubectlError: The cluster does not do what it was asked.
    """
    going = {metadata(it)["uid"] for it in volumes if _policy(it) == "Delete"}

    def still_there() -> list[Object]:
        there = kubectl.items("persistentvolumes") if going else []
        return [it for it in there if metadata(it)["uid"] in going]

    for volume in _wait(still_there):
        folder = minikube_volumes.directory(volume)
        if folder is None:
            _say_stays(volume, "its provisioner has not removed it", kubectl)
            continue
        nodes = minikube_volumes.remove(folder, kubectl)
        name = metadata(volume)["name"]
        kubectl("delete", "persistentvolume", name, "--ignore-not-found", "--timeout=60s")
        ui.say(
            f"  PersistentVolume {name} of {_claim(volume, 'name')} had stayed, as Minikube's "
            f"provisioner removes none of before its last start: removed, with {folder} on "
            f"{', '.join(nodes)}"
        )
    for volume in volumes:
        if _policy(volume) != "Delete":
            _say_stays(volume, f"its reclaim policy is {_policy(volume)}", kubectl)


def _wait(look: Callable[[], list[Object]]) -> list[Object]:
    """Looks until nothing is left, or what is left had its time; returns that."""
    begin = time.monotonic()
    while left := look():
        others = any(minikube_volumes.directory(it) is None for it in left)
        if time.monotonic() - begin >= (_TIMEOUT_SECONDS if others else _MINIKUBE_TIMEOUT_SECONDS):
            break
        time.sleep(_POLL_SECONDS)
    return left


def _say_stays(volume: Object, why: str, kubectl: Kubectl) -> None:
    name, provisioner = metadata(volume)["name"], _provisioner(volume)
    command = kubectl.command("delete", "persistentvolume", name)
    ui.say(
        f"  PersistentVolume {name} of {_claim(volume, 'name')} stays, since {why}: remove its "
        f"data {f'at {provisioner}' if provisioner else 'where it is stored'}, then: {command}"
    )


def _claim(volume: Object, key: str) -> str | None:
    return part(volume, "spec", "claimRef").get(key)


def _phase(volume: Object) -> str | None:
    return part(volume, "status").get("phase")


def _policy(volume: Object) -> str:
    # Retain is what the API server fills in where a volume says nothing.
    return part(volume, "spec").get("persistentVolumeReclaimPolicy") or "Retain"


def _provisioner(volume: Object) -> str | None:
    return part(metadata(volume), "annotations").get(_PROVISIONED_BY)
