"""Backups that can be restored, proven by restoring them."""

import json
import signal
import subprocess
import time

from tests.commands import how_it_ended, succeeded
from tests.e2e.asking import ask
from tests.e2e.deployment import Deployment
from tests.e2e.traffic import Traffic
from tests.waiting import until


def _titles(deployment: Deployment, session: dict[str, str]) -> set[str]:
    # A restore has started the backend anew.
    deployment.wait_served()
    answer = ask("GET", f"{deployment.frontend}/api/todos", headers=session)
    assert answer.status_code == 200, answer.text
    return {todo["title"] for todo in answer.json()["items"]}


def _add(deployment: Deployment, session: dict[str, str], title: str) -> None:
    url = f"{deployment.frontend}/api/todos"
    assert ask("POST", url, headers=session, json={"title": title}).status_code == 201


def _as_superuser(deployment: Deployment, statements: str) -> None:
    first = "psql -U todo -d postgres -Atc 'select rolname from pg_roles where oid = 10'"
    script = f'psql -v ON_ERROR_STOP=1 -U "$({first})" -d todo -c "$0"'
    deployment.kubectl("exec", "postgres-0", "--", "sh", "-c", script, statements)


def test_a_fresh_backup_is_identical_while_people_write(deployment: Deployment) -> None:
    with Traffic(deployment) as traffic:
        drill = deployment.ops("restore-drill", "--fresh", "--json")
    assert drill.returncode == 0, how_it_ended(drill)
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
    assert made.returncode == 0, how_it_ended(made)
    _add(deployment, session, "after the backup")
    listed = deployment.ops("backups", "--json")
    assert listed.returncode == 0, how_it_ended(listed)
    newest = json.loads(listed.stdout)[0]
    assert newest["name"] in made.stdout

    unasked = deployment.ops("restore", "--dump", newest["name"])
    assert unasked.returncode == 2
    assert "add --yes" in unasked.stderr
    assert _titles(deployment, session) == {"before the backup", "after the backup"}

    restored = deployment.ops("restore", "--yes", "--dump", newest["name"])
    assert restored.returncode == 0, how_it_ended(restored)
    assert _titles(deployment, session) == {"before the backup"}
    undone = deployment.ops("restore", "--undo", "--yes")
    assert undone.returncode == 0, how_it_ended(undone)
    assert _titles(deployment, session) == {"before the backup", "after the backup"}
    succeeded(deployment.pulumi("preview", "--expect-no-changes"))


def test_a_database_of_somebody_else_is_left_alone(deployment: Deployment) -> None:
    made = deployment.ops("backup")
    assert made.returncode == 0, how_it_ended(made)
    for name, command in (
        ("todo_restore_drill", ["restore-drill"]),
        ("todo_restored", ["restore", "--yes"]),
    ):
        deployment.sql(f"create database {name}")
        try:
            refused = deployment.ops(*command)
            assert refused.returncode == 2, how_it_ended(refused)
            assert f"There is a database {name} without this program's mark" in refused.stderr
            assert name in deployment.sql("select datname from pg_database").split()
        finally:
            deployment.sql(f"drop database {name} with (force)")


def test_a_grant_to_a_role_that_is_gone_does_not_stop_a_restore(deployment: Deployment) -> None:
    _as_superuser(deployment, "create role report; grant select on todos to report")
    try:
        made = deployment.ops("backup")
    finally:
        _as_superuser(deployment, "drop owned by report; drop role report")
    assert made.returncode == 0, how_it_ended(made)
    drill = deployment.ops("restore-drill")
    assert drill.returncode == 0, how_it_ended(drill)
    assert 'not restored: role "report" does not exist' in drill.stdout


def _is_interrupted(deployment: Deployment) -> bool:
    """Interrupts a backup once its job is there; returns whether that came before its end."""
    before = {*deployment.kubectl("get", "job", "-o", "name").split()}
    running = subprocess.Popen(
        deployment.ops_command("backup"),
        cwd=deployment.project,
        # Ignored otherwise when the tests run in the background.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        deadline = time.monotonic() + 300
        while {*deployment.kubectl("get", "job", "-o", "name").split()} <= before:
            assert running.poll() is None, "it ended before there was a job"
            assert time.monotonic() < deadline, "there is no job yet"
        running.send_signal(signal.SIGINT)
        return running.wait(timeout=300) != 0
    finally:
        running.kill()


def test_a_backup_that_is_interrupted_leaves_nothing(deployment: Deployment) -> None:
    # One of little data may be done by the time that somebody sees its job.
    assert any(_is_interrupted(deployment) for _ in range(5)), "none was interrupted in time"
    states = set[str]()

    def are_complete() -> bool:
        listed = json.loads(succeeded(deployment.ops("backups", "--json")))
        states.clear()
        states.update(file["state"] for file in listed)
        return states <= {"complete"}

    # The job's pod may still be ending, and remove what it has written.
    until(lambda: f"nothing but whole backups, and not {states}", are_complete, 180)


def test_a_backup_that_does_not_exist_is_named(deployment: Deployment) -> None:
    drill = deployment.ops("restore-drill", "--dump", "nope")
    assert drill.returncode == 1
    assert "there is no backup nope: see `python -m ops" in drill.stderr
