"""A port of this machine that leads to an object of the cluster."""

import re
import subprocess
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def forwarded(namespace: str, target: str, port: int) -> Generator[int]:
    """Yields a port of this machine that leads to a pod of an object, however it is exposed.

    Args:
        namespace: Of the object.
        target: Kind and name, such as `service/logs`.
        port: The object's own.
    """
    command = ["kubectl", "-n", namespace, "port-forward", target, f":{port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forward:
        try:
            assert forward.stdout
            found = re.search(r"127\.0\.0\.1:(\d+)", forward.stdout.readline())
            assert found, "kubectl port-forward says no port"
            yield int(found.group(1))
        finally:
            forward.terminate()
