"""How the operations show a cluster who they are, from several threads at once."""

import os
import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from kubernetes import client

from ops.kubeconfig import api_client
from tests.e2e.deployment import Deployment


def test_no_connection_changes_the_certificate_that_others_use(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    # OpenSSL frees what is replaced, also while another thread's handshake reads it.
    loads: list[ssl.SSLContext] = []
    load = ssl.SSLContext.load_cert_chain

    def spy(self: ssl.SSLContext, *arguments: Any) -> None:
        loads.append(self)
        load(self, *arguments)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", spy)
    api: Any = client.CoreV1Api(api_client(os.environ.get("KUBECONFIG"), None))

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(api.list_namespaced_pod, [deployment.namespace] * 16))

    assert all(it.items for it in found)
    assert len(loads) <= 1
