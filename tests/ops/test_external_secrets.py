"""Secrets of an external store: what `validate` says of them, and how a change gets around."""

import base64
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from console.failure import Failure
from ops import external_secrets, password_rotation
from ops.checks import secrets
from ops.commands.sync_secrets import sync_secrets
from ops.context import Target
from ops.external_secret_checks import external_secrets as check
from ops.facts import Facts
from ops.findings import Finding
from ops.kube import Ran
from tests.ops import stacks
from tests.ops.live_clusters import DATABASE

_OUTSIDE = [it | {"generated": False} for it in stacks.EXAMPLE["secrets"]]


class Cluster:
    """A store, the operator that copies it, two pods that read the copy, and a database."""

    def __init__(self, **store: str) -> None:
        self.store = {"database-password": "new", "jwt-key": "key", **store}
        self.secret = {"database-password": "old", "jwt-key": "key"}
        self.role = "old"
        self.files = {name: dict(self.secret) for name in ("backend-1", "backend-2")}
        self.altered_with: set[str] = set()
        self.operator = True
        self.synced = 1
        self.conditions: list[dict[str, str]] = [{"type": "Ready", "status": "True"}]
        self.events: list[dict[str, Any]] = []

    def get(self, kind: str, name: str) -> Any:
        if kind == "Secret":
            data = {k: base64.b64encode(v.encode()).decode() for k, v in self.secret.items()}
            return {"metadata": {"name": name}, "data": data}
        if kind == "ExternalSecret":
            status = {
                "conditions": self.conditions,
                "syncedResourceVersion": str(self.synced),
                "refreshTime": "2026-01-01T00:00:00Z",
            }
            spec = {
                "secretStoreRef": {"name": "production"},
                "refreshInterval": "1h",
                "data": [{"secretKey": key} for key in self.store],
            }
            return {"metadata": {"name": name}, "spec": spec, "status": status}
        volumes = [{"secret": {"secretName": "todo"}}]
        template = {"spec": {"volumes": volumes}}
        return {"spec": {"selector": {"matchLabels": {"app": name}}, "template": template}}

    def find(self, kind: str, name: str) -> Any:
        return self.get(kind, name)

    def items(self, kind: str) -> list[Any]:
        return self.events

    def pods(self, selector: str) -> list[Any]:
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        return [{"metadata": {"name": name}, "status": ready} for name in self.files]

    def patch(self, kind: str, name: str, body: Any) -> None:
        if kind == "Pod":
            self.files[name] = dict(self.secret)
        elif self.operator:
            self.synced += 1
            self.secret = dict(self.store)

    def run(self, pod: str, container: str, command: Sequence[str], stdin: str = "") -> Ran:
        if command[0] == "sha256sum":
            text = self.files[pod].get(command[1].rpartition("/")[2], "")
            return Ran(0, hashlib.sha256(text.encode()).hexdigest(), "")
        if changed := re.search(r"ALTER ROLE \"app\" PASSWORD '(.*)'", stdin):
            self.altered_with = {it["database-password"] for it in self.files.values()}
            self.role = changed[1]
            return Ran(0, "", "")
        refused = stdin.strip() != self.role
        return Ran(int(refused), "", "password authentication failed" if refused else "")


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(password_rotation, "verifier", lambda password: password)
    monkeypatch.setattr("ops.database.require_ready", lambda *_: None)
    monkeypatch.setattr(external_secrets, "_SECONDS", 0.0)


def sync(cluster: Cluster, **changes: Any) -> None:
    to = Target(Path(), None)
    vars(to).update(stack=stacks.deployed(**{"secrets": _OUTSIDE, **changes}), cluster=cluster)
    sync_secrets(cast("Any", SimpleNamespace(obj=to)))


def findings(cluster: Cluster) -> list[Finding]:
    facts = Facts(stacks.deployed(secrets=_OUTSIDE), cast("Any", cluster))
    return list(check(facts))


def test_a_new_password_of_the_store_reaches_the_pods_and_then_the_database() -> None:
    cluster = Cluster()
    sync(cluster)
    assert cluster.role == "new"
    assert cluster.altered_with == {"new"}
    assert {files["database-password"] for files in cluster.files.values()} == {"new"}


def test_a_new_session_key_of_the_store_reaches_every_pod_and_the_database_stays() -> None:
    cluster = Cluster(**{"database-password": "old", "jwt-key": "other", "jwt-next-key": "next"})
    sync(cluster)
    assert [files["jwt-next-key"] for files in cluster.files.values()] == ["next", "next"]
    assert cluster.altered_with == set()


def test_an_operator_that_does_not_answer_changes_nothing() -> None:
    cluster = Cluster()
    cluster.operator, cluster.conditions = False, []
    with pytest.raises(Failure, match="Nobody looks after the ExternalSecret"):
        sync(cluster)
    assert cluster.role == "old"


def test_secrets_that_the_stack_has_itself_are_rotated_by_other_commands() -> None:
    with pytest.raises(Failure, match="rotate-password"):
        sync(Cluster(), secrets=stacks.EXAMPLE["secrets"])


def test_secrets_that_came_are_fine() -> None:
    (found,) = findings(Cluster())
    assert found.state == "ok"
    assert "all 2 come from the store production, asked" in found.detail


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            "error processing spec.data[1] (key: todo/jwt-key), err: Secret does not exist",
            "The store production has no todo/jwt-key: put it there, or correct secrets.keys",
        ),
        (
            "error processing spec.data[0] (key: todo/database-password), err: AccessDenied:\n not "
            "allowed",
            "todo/database-password (AccessDenied: not allowed); see to the store",
        ),
        ('could not get ClusterSecretStore "production", not found', "not found; see to the store"),
    ],
)
def test_what_the_store_does_not_give_is_one_sentence(message: str, said: str) -> None:
    cluster = Cluster()
    cluster.conditions = [{"type": "Ready", "status": "False", "message": "could not get it"}]
    about = {"kind": "ExternalSecret", "name": "todo"}
    old = {"lastTimestamp": "2026-01-01T00:00:00Z", "message": "of yesterday"}
    new = {"lastTimestamp": "2026-01-02T00:00:00Z", "message": message}
    cluster.events = [{"type": "Warning", "involvedObject": about, **it} for it in (new, old)] + [
        {"type": "Warning", "involvedObject": {"kind": "Pod", "name": "todo"}, "message": "no"}
    ]
    (found,) = findings(cluster)
    assert found.state == "failed"
    assert said in found.detail
    assert found.command == "python -m ops sync-secrets"


def test_a_missing_secret_is_told_once_by_the_check_that_knows_why() -> None:
    cluster = Cluster()
    cluster.secret = {}
    facts = Facts(stacks.deployed(secrets=_OUTSIDE), cast("Any", cluster))
    vars(facts)["workloads"] = {"backend": cluster.get("Deployment", "backend")}
    assert list(secrets(facts)) == []


def test_an_operator_that_runs_the_database_gets_a_changed_password_too() -> None:
    asked: list[str] = []

    class Recording(Cluster):
        def patch(self, kind: str, name: str, body: Any) -> None:
            asked.append(name)
            super().patch(kind, name, body)

    stack = stacks.deployed(database=DATABASE, secrets=_OUTSIDE)
    external_secrets.ExternalSecrets(stack, cast("Any", Recording())).refresh()
    assert asked == ["todo", "postgres-credentials"]
