"""Backups that can be restored, proven by restoring them."""

import json

import httpx

from tests.e2e.deployment import Deployment
from tests.e2e.traffic import Traffic


def _titles(deployment: Deployment, session: dict[str, str]) -> set[str]:
    answer = httpx.get(f"{deployment.frontend}/api/todos", headers=session)
    return {todo["title"] for todo in answer.json()["items"]}


def _add(deployment: Deployment, session: dict[str, str], title: str) -> None:
    url = f"{deployment.frontend}/api/todos"
    assert httpx.post(url, headers=session, json={"title": title}).status_code == 201


def test_a_fresh_backup_is_identical_while_people_write(deployment: Deployment) -> None:
    with Traffic(deployment) as traffic:
        drill = deployment.ops("restore-drill", "--fresh", "--json")
    assert drill.returncode == 0, drill.stdout + drill.stderr
    report = json.loads(drill.stdout)
    assert report["good"]
    assert set(report["tables"].values()) == {"identical"}
    assert "public.todos" in report["tables"]
    traffic.assert_unharmed()
    left = deployment.sql("select datname from pg_database where datname like '%drill%'")
    assert left == ""


def test_a_restore_brings_back_what_was_and_can_be_undone(deployment: Deployment) -> None:
    session = Traffic(deployment).headers
    _add(deployment, session, "before the backup")
    made = deployment.ops("backup")
    assert made.returncode == 0, made.stdout + made.stderr
    _add(deployment, session, "after the backup")
    listed = deployment.ops("backups", "--json")
    assert listed.returncode == 0, listed.stderr
    newest = json.loads(listed.stdout)[0]
    assert newest["name"] in made.stdout

    unasked = deployment.ops("restore", "--dump", newest["name"])
    assert unasked.returncode == 2
    assert "add --yes" in unasked.stderr
    assert _titles(deployment, session) == {"before the backup", "after the backup"}

    restored = deployment.ops("restore", "--yes", "--dump", newest["name"])
    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert _titles(deployment, session) == {"before the backup"}
    undone = deployment.ops("restore", "--undo", "--yes")
    assert undone.returncode == 0, undone.stdout + undone.stderr
    assert _titles(deployment, session) == {"before the backup", "after the backup"}
    assert deployment.pulumi("preview", "--expect-no-changes").returncode == 0


def test_a_backup_that_does_not_exist_is_named(deployment: Deployment) -> None:
    drill = deployment.ops("restore-drill", "--dump", "nope")
    assert drill.returncode == 1
    assert "there is no backup nope: see `python -m ops backups`" in drill.stderr
