"""Changes: a new backend version, drift, and the removal of everything but the data."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx

from tests.e2e.deployment import PROJECT, Deployment


@contextmanager
def _edited(file: Path, text: str) -> Iterator[None]:
    original = file.read_bytes()
    file.write_bytes(original + text.encode())
    try:
        yield
    finally:
        file.write_bytes(original)


class _Requests(threading.Thread):
    """Asks both services again and again, on new connections, and keeps what failed."""

    def __init__(self, *urls: str) -> None:
        super().__init__(daemon=True)
        self.urls, self.done, self.failures, self.sent = urls, threading.Event(), list[str](), 0

    def run(self) -> None:
        while not self.done.wait(0.05):
            for url in self.urls:
                self.sent += 1
                try:
                    status = httpx.get(url, timeout=15).status_code
                except httpx.HTTPError as error:
                    self.failures.append(f"{url}: {error!r}")
                else:
                    if status != 200:
                        self.failures.append(f"{url}: {status}")

    def __enter__(self) -> "_Requests":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.join()


def test_a_source_edit_rolls_the_backend_alone_without_a_failed_request(
    deployment: Deployment,
) -> None:
    others = deployment.pods("frontend") | deployment.pods("database")
    before = deployment.pods("backend")
    source = PROJECT / "apps/backend/todo_backend/__init__.py"
    try:
        with _edited(source, f"\n# edited {uuid4().hex}\n"):
            with _Requests(
                f"{deployment.frontend}/api/health", f"{deployment.backend}/ready"
            ) as requests:
                deployment.up()
            after = deployment.pods("backend")
            assert len(after) == 2
            assert not set(before.values()) & set(after.values())
            assert deployment.pods("frontend") | deployment.pods("database") == others
            assert requests.sent > 50
            assert requests.failures == []
    finally:
        deployment.up()


def test_drift_is_found_and_mended(deployment: Deployment) -> None:
    label = "app.kubernetes.io/part-of"
    deployment.kubectl("label", "--overwrite", "service/backend", f"{label}=drifted")
    deployment.kubectl("scale", "deployment/frontend", "--replicas=3")

    found = deployment.pulumi("refresh", "--preview-only", "--diff")
    assert found.returncode == 0, found.stderr
    assert f'~ {label}: "todo" => "drifted"' in found.stdout
    assert "~ replicas: 2 => 3" in found.stdout

    mended = deployment.pulumi("up", "--refresh", "--yes", "--skip-preview")
    assert mended.returncode == 0, mended.stdout
    deployment.wait_ready()
    spec = json.loads(deployment.kubectl("get", "deployment/frontend", "-o", "json"))["spec"]
    assert spec["replicas"] == 2
    labels = json.loads(deployment.kubectl("get", "service/backend", "-o", "json"))["metadata"][
        "labels"
    ]
    assert labels[label] == "todo"


def test_destroy_keeps_the_data_and_up_takes_it_back(deployment: Deployment) -> None:
    account = {"email": f"{uuid4().hex}@example.org", "password": uuid4().hex}
    assert httpx.post(f"{deployment.frontend}/api/auth/sign-up", json=account).status_code < 300

    done = deployment.pulumi("destroy", "--yes", "--skip-preview")
    assert done.returncode == 0, done.stdout + done.stderr
    left = deployment.kubectl("get", "all,secrets,configmaps,networkpolicies", "-o", "name").split()
    assert [name for name in left if name != "configmap/kube-root-ca.crt"] == []
    claims = deployment.kubectl("get", "persistentvolumeclaims", "-o", "name").split()
    assert "persistentvolumeclaim/data-postgres-0" in claims

    deployment.up()
    deployment.wait_ready()
    assert httpx.post(f"{deployment.frontend}/api/auth/sign-in", json=account).status_code < 300
