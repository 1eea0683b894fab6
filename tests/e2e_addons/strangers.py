"""Pods that no policy of an add-on knows."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from tests.commands import how_it_ended
from tests.e2e.deployment import Deployment
from tests.e2e.namespaces import make_namespace

_CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 4).close()
    print("open")
except OSError:
    print("closed")
"""


@contextmanager
def strangers(deployment: Deployment, *names: str) -> Generator[str]:
    """Pods of a namespace without policies, each with an address of its own."""
    namespace = f"{deployment.namespace}-clients"
    image = deployment.image("backend")
    pods: list[dict[str, Any]] = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "containers": [{"name": "client", "image": image, "command": ["sleep", "3600"]}],
            },
        }
        for name in names
    ]
    where = ("--namespace", namespace)
    try:
        make_namespace(deployment, namespace)
        listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": pods})
        done = deployment.try_kubectl(*where, "apply", "-f", "-", text=listed)
        assert done.returncode == 0, how_it_ended(done)
        ready = ("wait", "--for=condition=Ready", "pod", "--all", "--timeout=120s")
        deployment.kubectl(*where, *ready)
        yield namespace
    finally:
        deployment.kubectl("delete", "namespace", namespace)


def connects(deployment: Deployment, namespace: str, pod: str, host: str, port: int) -> bool:
    """Returns whether a stranger gets a connection.

    Args:
        deployment: In whose cluster.
        namespace: Of the stranger.
        pod: The stranger.
        host: A name or an address in the cluster.
        port: The port there.
    """
    command = ("python", "-c", _CONNECT, host, str(port))
    said = deployment.kubectl("--namespace", namespace, "exec", pod, "--", *command)
    return said.strip() == "open"
