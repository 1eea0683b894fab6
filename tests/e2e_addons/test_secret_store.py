"""The application's secrets are in a store outside the cluster, and follow it."""

import base64
import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from uuid import uuid4

import httpx
import pytest

from tests.commands import how_it_ended
from tests.e2e.clone import clone
from tests.e2e.deployment import Deployment
from tests.e2e.traffic import Traffic
from tests.e2e_addons.stored_application import KEYS, new_secret, put, stored_application

FIRST = {name: new_secret() for name in ("databasePassword", "jwtKey")}


@pytest.fixture(scope="module")
def stored(
    deployment: Deployment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    put(deployment, {**FIRST, "jwtNextKey": FIRST["jwtKey"], "jwtPreviousKey": FIRST["jwtKey"]})
    with stored_application(deployment, clone(tmp_path_factory.mktemp("store"))) as stack:
        yield stack


def test_the_application_starts_with_secrets_that_its_stack_never_has(stored: Deployment) -> None:
    with Traffic(stored) as traffic:
        done = stored.ops("validate", "--json")
    traffic.assert_unharmed()
    found = {it["check"]: it for it in json.loads(done.stdout)["findings"]}
    assert done.returncode == 0, how_it_ended(done)
    assert "all 4 come from the store development" in found["external secrets"]["detail"]
    state = stored.pulumi("stack", "export", "--show-secrets").stdout
    assert state
    assert not [name for name, value in FIRST.items() if value in state]


def test_a_new_password_in_the_store_reaches_pods_and_database(stored: Deployment) -> None:
    before, password = stored.pods(), new_secret()
    with Traffic(stored) as traffic:
        put(stored, {"databasePassword": password})
        done = stored.ops("sync-secrets")
    assert done.returncode == 0, how_it_ended(done)
    assert "and the database" in done.stdout
    assert password not in done.stdout + done.stderr
    traffic.assert_unharmed()
    assert stored.pods() == before
    # Pods that start from here on have the new one alone.
    with Traffic(stored) as traffic:
        stored.kubectl("rollout", "restart", "deployment/backend")
        stored.wait_ready()
    traffic.assert_unharmed()
    assert stored.ops("validate").returncode == 0


def test_what_is_new_in_the_store_waits_for_sync_secrets(stored: Deployment) -> None:
    """Else pods would have a password before the database does, and get no new connection."""
    password = new_secret()
    with _witness(stored) as sees:
        put(stored, {"databasePassword": password})
        sees(password)
        with Traffic(stored) as traffic:
            stored.kubectl("rollout", "restart", "deployment/backend")
            stored.wait_ready()
        traffic.assert_unharmed()
    with Traffic(stored) as traffic:
        done = stored.ops("sync-secrets")
    assert done.returncode == 0, how_it_ended(done)
    assert "and the database" in done.stdout
    traffic.assert_unharmed()


@contextmanager
def _witness(stored: Deployment) -> Generator[Callable[[str], None]]:
    """Another ExternalSecret of the same value, for which the store is asked every few seconds."""
    name = "witness"
    body = {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": name},
        "spec": {
            "refreshInterval": "2s",
            "secretStoreRef": {"name": "development", "kind": "ClusterSecretStore"},
            "data": [{"secretKey": "it", "remoteRef": {"key": KEYS["databasePassword"]}}],
        },
    }
    done = stored.try_kubectl("apply", "-f", "-", text=json.dumps(body))
    assert done.returncode == 0, how_it_ended(done)

    def sees(value: str) -> None:
        encoded = base64.b64encode(value.encode()).decode()
        stored.kubectl(
            *("wait", f"secret/{name}", f"--for=jsonpath={{.data.it}}={encoded}", "--timeout=90s")
        )

    try:
        stored.kubectl("wait", "--for=condition=Ready", f"externalsecret/{name}", "--timeout=90s")
        yield sees
    finally:
        stored.kubectl("delete", f"externalsecret/{name}")


def test_a_new_session_key_in_the_store_signs_nobody_out(stored: Deployment) -> None:
    former, key = FIRST["jwtKey"], new_secret()
    with Traffic(stored) as traffic:
        put(stored, {"jwtNextKey": key})
        _sync(stored)
        put(stored, {"jwtPreviousKey": former})
        put(stored, {"jwtKey": key})
        _sync(stored)
        new = Traffic(stored).headers
    traffic.assert_unharmed()
    put(stored, {"jwtPreviousKey": key})
    _sync(stored)
    url = f"{stored.backend}/api/me"
    assert {httpx.get(url, headers=traffic.headers).status_code for _ in range(20)} == {401}
    assert {httpx.get(url, headers=new).status_code for _ in range(20)} == {200}


def test_what_the_store_does_not_have_is_one_sentence(stored: Deployment) -> None:
    put(stored, {"jwtNextKey": None})
    said = f"The store development has no {KEYS['jwtNextKey']}: put it there"
    done = stored.ops("sync-secrets")
    assert done.returncode == 1
    assert said in " ".join(done.stderr.split())
    wrong = stored.ops("validate", "--json")
    assert wrong.returncode == 1
    (found,) = [it for it in json.loads(wrong.stdout)["findings"] if it["state"] == "failed"]
    assert said in found["detail"]
    put(stored, {"jwtNextKey": new_secret()})
    _sync(stored)
    assert stored.ops("validate").returncode == 0


def test_a_namespace_that_the_store_does_not_name_gets_nothing(deployment: Deployment) -> None:
    put(deployment, {"jwtKey": new_secret()})
    namespace = f"stranger-{uuid4().hex[:8]}"
    other = {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": "stolen"},
        "spec": {
            "secretStoreRef": {"name": "development", "kind": "ClusterSecretStore"},
            "data": [{"secretKey": "key", "remoteRef": {"key": KEYS["jwtKey"]}}],
        },
    }
    where = ("-n", namespace)
    deployment.kubectl("create", "namespace", namespace)
    try:
        done = deployment.try_kubectl(*where, "apply", "-f", "-", text=json.dumps(other))
        assert done.returncode == 0, how_it_ended(done)
        wanted = "--for=condition=Ready=False"
        deployment.kubectl(*where, "wait", wanted, "externalsecret/stolen", "--timeout=60s")
        assert deployment.try_kubectl(*where, "get", "secret", "stolen").returncode == 1
    finally:
        deployment.kubectl("delete", "namespace", namespace, "--wait=false")


def _sync(stored: Deployment) -> None:
    done = stored.ops("sync-secrets")
    assert done.returncode == 0, how_it_ended(done)
