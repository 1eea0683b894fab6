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
    """Reads from both services and adds todos through both, on and on, and keeps what failed."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(daemon=True)
        self.done, self.failures, self.sent, self.added = threading.Event(), list[str](), 0, 0
        self.frontend, self.backend = deployment.frontend, deployment.backend
        account = {"email": f"{uuid4().hex}@example.org", "password": uuid4().hex}
        token = httpx.post(f"{self.frontend}/api/auth/sign-up", json=account).json()["token"]
        self.headers = {"Authorization": f"Bearer {token}"}

    def run(self) -> None:
        while not self.done.wait(0.05):
            self._ask("GET", f"{self.frontend}/api/health")
            self._ask("GET", f"{self.backend}/ready")
            self.added += self._ask("POST", f"{self.frontend}/api/todos")
            self.added += self._ask("POST", f"{self.backend}/api/todos")

    def stored(self) -> int:
        """Returns the number of this account's todos."""
        found = httpx.get(f"{self.frontend}/api/todos", headers=self.headers, params={"limit": 1})
        return found.json()["total"]

    def _ask(self, method: str, url: str) -> bool:
        self.sent += 1
        body = {"title": f"Todo {self.sent}"} if method == "POST" else None
        try:
            status = httpx.request(
                method, url, json=body, headers=self.headers, timeout=15
            ).status_code
        except httpx.HTTPError as error:
            self.failures.append(f"{method} {url}: {error!r}")
            return False
        if status not in {200, 201}:
            self.failures.append(f"{method} {url}: {status}")
        return status == 201

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
            with _Requests(deployment) as requests:
                deployment.up()
            after = deployment.pods("backend")
            assert len(after) == 2
            assert not set(before.values()) & set(after.values())
            assert deployment.pods("frontend") | deployment.pods("database") == others
            assert requests.sent > 50
            assert requests.failures == []
            assert requests.stored() == requests.added
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
