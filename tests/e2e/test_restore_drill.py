"""The restore drill of a schedule: a good backup, a broken one, and the live database."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from tests.commands import how_it_ended, succeeded
from tests.e2e.clone import clone
from tests.e2e.deployment import Deployment
from tests.e2e.enforcement import skip_where_declared_only
from tests.waiting import until

# Whenever the tests run, none is due in the days after.
_DAY = (datetime.now(UTC).isoweekday() + 3) % 7
_SCHEDULE = f"17 5 * * {_DAY}"
_SETTING = "todo:settings.database.backup.drill.schedule"
_BROKEN = "todo-99991231T235959Z.dump"


@pytest.fixture(scope="module")
def drilled(
    deployment: Deployment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """The stack with drills once a week; afterwards without, and without what was broken."""
    stack = Deployment(project=clone(tmp_path_factory.mktemp("drilled")))
    asked = stack.pulumi("config", "set", "--path", _SETTING, _SCHEDULE)
    assert asked.returncode == 0, how_it_ended(asked)
    stack.up()
    yield stack
    _on_the_backups(stack, f"rm -f /backups/{_BROKEN}")
    deployment.up()


def _on_the_backups(deployment: Deployment, script: str) -> None:
    """Runs a script in a pod like those of the backups, whose volume it has."""
    template = deployment.objects("cronjob/postgres-backup")["spec"]["jobTemplate"]["spec"]
    template = json.loads(json.dumps(template))
    template["template"]["spec"]["containers"][0]["command"] = ["/bin/sh", "-c", script]
    name = f"on-the-backups-{uuid4().hex[:8]}"
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": template}
    created = deployment.try_kubectl("create", "-f", "-", text=json.dumps(job))
    assert created.returncode == 0, how_it_ended(created)
    deployment.kubectl("wait", "--for=condition=complete", f"job/{name}", "--timeout=900s")
    deployment.kubectl("delete", "job", name)


def _finding(deployment: Deployment) -> dict[str, Any]:
    """What `validate` says of the drills."""
    verdict = json.loads(deployment.ops("validate", "--json", "--no-drift").stdout)
    (found,) = (it for it in verdict["findings"] if it["check"] == "restore drill")
    return found


def _last_drill(deployment: Deployment) -> str | None:
    """What `status` says of it."""
    return json.loads(succeeded(deployment.ops("status", "--json")))["drill"]


def _live(deployment: Deployment) -> str:
    """Everything by which the live server would show that somebody was there."""
    databases = "select string_agg(datname, ',' order by datname) from pg_database"
    sums = "select count(*), sum(hashtext(u::text)) from users u"
    return deployment.sql(databases) + deployment.sql(sums)


def test_a_good_backup_is_proven_and_a_broken_one_is_told(drilled: Deployment) -> None:
    made = drilled.ops("backup")
    assert made.returncode == 0, how_it_ended(made)
    before = _live(drilled)
    assert _finding(drilled)["detail"] == f"scheduled ({_SCHEDULE} UTC), none was due yet"

    good = drilled.ops("restore-drill", "--scheduled")
    assert good.returncode == 0, how_it_ended(good)
    assert "tables, " in good.stdout
    assert "RESTORABLE" in good.stdout
    assert _finding(drilled)["state"] == "ok"
    # The controller of CronJobs notes it when it has looked at the job's end.
    until("when the last drill was", lambda: "ago" in (_last_drill(drilled) or ""), 120)

    _on_the_backups(
        drilled, f"head -c 900 $(ls -1 /backups/*Z.dump | tail -n 1) > /backups/{_BROKEN}"
    )
    # As the schedule does it: nobody is there when it fails.
    drilled.kubectl("create", "job", "--from=cronjob/postgres-drill", "weekly")
    drilled.kubectl("wait", "--for=condition=failed", "job/weekly", "--timeout=900s")
    told = _finding(drilled)
    assert told["state"] == "failed"
    assert told["cause"].startswith(f"weekly failed: {_BROKEN} cannot be restored: ")
    assert "python -m ops backup; python -m ops restore-drill --scheduled" in told["command"]
    assert _live(drilled) == before

    # No backup is newer than this one's name says.
    _on_the_backups(drilled, f"rm /backups/{_BROKEN}")
    again = drilled.ops("restore-drill", "--scheduled")
    assert again.returncode == 0, how_it_ended(again)
    assert _finding(drilled)["state"] == "ok"


def _said_in_a_drill(drilled: Deployment, script: str) -> str:
    """Returns what a script prints in a pod like those of the drills."""
    pod = drilled.objects("cronjob/postgres-drill")["spec"]["jobTemplate"]["spec"]
    pod["template"]["spec"]["containers"][0]["command"] = ["/bin/sh", "-c", script]
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "probe"}, "spec": pod}
    created = drilled.try_kubectl("create", "-f", "-", text=json.dumps(job))
    assert created.returncode == 0, how_it_ended(created)
    try:
        drilled.kubectl("wait", "--for=condition=complete", "job/probe", "--timeout=900s")
        return drilled.kubectl("logs", "job/probe")
    finally:
        drilled.kubectl("delete", "job", "probe")


def test_a_drill_can_change_no_backup(drilled: Deployment) -> None:
    said = _said_in_a_drill(drilled, "touch /backups/mine 2>&1 || true")
    assert "Read-only file system" in said


def test_a_drill_can_reach_nobody(drilled: Deployment) -> None:
    skip_where_declared_only(drilled)
    said = _said_in_a_drill(drilled, "PGCONNECT_TIMEOUT=5 pg_isready -h postgres -t 5 || true")
    assert "postgres:5432 - no response" in said
    assert "accepting connections" not in said
