"""The stack `full` and the add-ons of its cluster, as deployed by `make addons` and `make up`."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import account, browser, deployment, own_cluster, page, workspace

__all__ = ["account", "browser", "deployment", "own_cluster", "page", "workspace"]


@pytest.fixture(scope="session", autouse=True)
def behind_the_gateway(
    own_cluster: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """What is asked over HTTPS in this process is found on this machine, and believed."""
    where = ("get", "configmap", "--namespace", "gateway", "public-authority", "--output", "json")
    done = subprocess.run(["kubectl", *where], capture_output=True, text=True, check=False)
    file = tmp_path_factory.mktemp("authority") / "ca.crt"
    resolve = socket.getaddrinfo

    def resolved(host: Any, *more: Any, **named: Any) -> Any:
        # As browsers do (RFC 6761), whatever this machine's resolver says.
        local = isinstance(host, str) and host.endswith(".localhost")
        return resolve("127.0.0.1" if local else host, *more, **named)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", resolved)
        if done.returncode == 0:
            file.write_text(json.loads(done.stdout)["data"]["ca.crt"])
            patched.setitem(os.environ, "SSL_CERT_FILE", str(file))
        yield
