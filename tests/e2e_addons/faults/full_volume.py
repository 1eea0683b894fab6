"""A volume that somebody has filled."""

import json
from typing import Any

from tests.e2e_addons.alerting import kubectl
from tests.e2e_addons.faults.fault import Fault, make_pod, python_container

_NAME = "todo-alerts-test"
_FOLDER = f"/var/tmp/{_NAME}"  # noqa: S108 - a mount point of the node
_SIZE = 16 * 1024**2
"""In bytes."""
_MOUNT = f"""
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
os.setns(os.open("/proc/1/ns/mnt", os.O_RDONLY), os.CLONE_NEWNS)
os.makedirs({_FOLDER!r}, exist_ok=True)
options = b"mode=1777,size={_SIZE}"
if libc.mount(b"tmpfs", {_FOLDER.encode()!r}, b"tmpfs", 0, options):
    raise OSError(ctypes.get_errno(), "mount")
"""
_UNMOUNT = f"""
import ctypes, os
libc = ctypes.CDLL(None)
os.setns(os.open("/proc/1/ns/mnt", os.O_RDONLY), os.CLONE_NEWNS)
while not libc.umount2({_FOLDER.encode()!r}, 2):
    pass
if os.path.isdir({_FOLDER!r}):
    os.rmdir({_FOLDER!r})
"""


def full_volume(namespace: str, python: str) -> Fault:
    """A claim of a small volume that somebody has filled."""
    _on_node(namespace, python, _UNMOUNT)
    _on_node(namespace, python, _MOUNT)
    label = "kubernetes.io/hostname"
    host = {"key": label, "operator": "In", "values": [_node()["labels"][label]]}
    size = {"storage": str(_SIZE)}
    common = {"accessModes": ["ReadWriteOnce"], "storageClassName": _NAME}
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": _NAME},
        "spec": {
            **common,
            "capacity": size,
            "local": {"path": _FOLDER},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [host]}]}},
        },
    }
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "full"},
        "spec": {**common, "volumeName": _NAME, "resources": {"requests": size}},
    }
    for body in (volume, claim):
        kubectl("-n", namespace, "apply", "-f", "-", text=json.dumps(body))
    fill = f"open('/data/it', 'wb').write(bytes({_SIZE - 1024**2})); import time; time.sleep(1e5)"
    container = python_container("main", python, fill)
    container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    source = {"name": "data", "persistentVolumeClaim": {"claimName": "full"}}
    make_pod(namespace, "full", [container], volumes=[source])
    empty = "import os; os.unlink('/data/it')"
    return Fault(
        namespace=namespace,
        summary=f"The volume {namespace}/full has 6",
        mend=lambda: kubectl("-n", namespace, "exec", "full", "--", "python", "-c", empty),
    )


def take_away(namespace: str, python: str) -> None:
    """Removes pod, claim and volume, and unmounts it."""
    kubectl("-n", namespace, "delete", "pod/full", "pvc/full", "--ignore-not-found", "--now")
    kubectl("delete", f"persistentvolume/{_NAME}", "--ignore-not-found")
    _on_node(namespace, python, _UNMOUNT)


def _node() -> dict[str, Any]:
    """Name and labels of the first node."""
    (first, *_) = json.loads(kubectl("get", "nodes", "-o", "json"))["items"]
    return first["metadata"]


def _on_node(namespace: str, python: str, script: str) -> None:
    """Runs a script as root of the first node, in a pod that is gone afterwards."""
    container = python_container("main", python, script)
    container["securityContext"] = {"privileged": True, "runAsUser": 0}
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "on-node"},
        "spec": {
            "nodeName": _node()["name"],
            "hostPID": True,
            "restartPolicy": "Never",
            "containers": [container],
        },
    }
    kubectl("-n", namespace, "apply", "-f", "-", text=json.dumps(body))
    try:
        done = "--for=jsonpath={.status.phase}=Succeeded"
        kubectl("-n", namespace, "wait", "pod/on-node", done, "--timeout=90s")
    finally:
        kubectl("-n", namespace, "delete", "pod/on-node", "--now")
