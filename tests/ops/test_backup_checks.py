"""What `validate` says of the backups and of the order of text."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from console.failure import ExitCode, Failure
from ops.backup_checks import backups, collations, drills
from ops.commands.status import last_backup, last_drill
from ops.facts import Facts
from ops.findings import Finding
from ops.jobs import Script, backup_cron_job, drill_cron_job, job_of
from ops.stack import Stack
from tests.ops.scratch_server import Deployed
from tests.ops.stacks import EXAMPLE, deployed, with_database, with_database_outside

LABELS = {"app.kubernetes.io/component": "backup"}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def ago(time: timedelta) -> str:
    return (datetime.now(UTC) - time).strftime("%Y-%m-%dT%H:%M:%SZ")


# Due every day, 21 hours before now, so that no result depends on when the tests run.
DAILY = (datetime.now(UTC) - 21 * HOUR).strftime("%M %H * * *")


def cluster(
    job: dict[str, Any] | None, runs: list[dict[str, Any]] | None = None, pod: Any = None
) -> Any:
    found = {"Job": runs or [], "Event": []}

    def find(kind: str, name: str) -> dict[str, Any] | None:
        assert (kind, name) == ("CronJob", job["metadata"]["name"] if job else "postgres-backup")
        return job

    return SimpleNamespace(
        namespace="todo-app",
        find=find,
        items=lambda kind: found[kind],
        pods=lambda: [pod] if pod else [],
    )


def cron_job(
    schedule: str = DAILY,
    made: timedelta | None = None,
    labels: dict[str, str] = LABELS,
    suspend: bool = False,
    name: str = "postgres-backup",
    **status: str,
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "uid": "u", "labels": labels}
    if made is not None:
        metadata["creationTimestamp"] = ago(made)
    template = {"metadata": {}, "spec": {"containers": [{"command": ["sh", "-c", "true"]}]}}
    return {
        "metadata": metadata,
        "spec": {
            "schedule": schedule,
            "suspend": suspend,
            "startingDeadlineSeconds": 3600,
            "jobTemplate": {"spec": {"activeDeadlineSeconds": 3600, "template": template}},
        },
        "status": status,
    }


def with_drill() -> Stack:
    backup = EXAMPLE["database"]["backup"]
    drill = {"cronJob": "postgres-drill", "container": "drill"}
    return with_database(backup=backup | {"drill": drill})


def check(job: dict[str, Any] | None, stack: Stack | None = None) -> Finding:
    (finding,) = backups(Facts(stack or deployed(), cluster(job)))
    return finding


def run(name: str, began: timedelta, owner: str = "u", **status: Any) -> dict[str, Any]:
    metadata = {
        "name": name,
        "creationTimestamp": ago(began),
        "ownerReferences": [{"uid": owner}],
    }
    return {"metadata": metadata, "status": status}


def check_runs(*runs: dict[str, Any], pod: Any = None) -> Finding:
    job = cron_job(made=90 * DAY, lastSuccessfulTime=ago(20 * HOUR))
    to = cluster(job, runs=[*runs], pod=pod)
    (finding,) = backups(Facts(deployed(), to))
    return finding


def waiting_pod(job: str) -> dict[str, Any]:
    """Of a job whose image is not to be had."""
    waiting = {"reason": "ImagePullBackOff", "message": "manifest unknown"}
    return {
        "metadata": {
            "name": f"{job}-x",
            "namespace": "todo-app",
            "labels": {**LABELS, "job-name": job},
        },
        "status": {
            "phase": "Pending",
            "containerStatuses": [
                {"name": "backup", "image": "db.example.com/pg:9", "state": {"waiting": waiting}}
            ],
        },
    }


FAILED = [{"type": "Failed", "status": "True", "message": "Job was active longer than specified"}]


def test_a_backup_whose_pod_cannot_start_is_told_with_the_pods_reason() -> None:
    found = check_runs(run("nightly", HOUR), pod=waiting_pod("nightly"))
    assert found.state == "failed"
    assert "nightly does not start: cannot pull db.example.com/pg:9" in found.detail
    assert found.cause == "the registry has no such tag"


def test_the_newest_backup_that_failed_is_told_before_another_is_missed() -> None:
    found = check_runs(run("before", DAY, succeeded=1), run("newest", HOUR, conditions=FAILED))
    assert found.state == "warning"
    assert found.cause == "newest failed: Job was active longer than specified"


@pytest.mark.parametrize(
    ("runs", "pod"),
    [
        ([run("newest", HOUR, succeeded=1), run("old", DAY, conditions=FAILED)], None),
        ([run("newest", HOUR, succeeded=1), run("old", DAY)], waiting_pod("old")),
        ([run("newest", HOUR, active=1)], None),
        ([run("drill", HOUR, "of-nobody", conditions=FAILED)], waiting_pod("drill")),
    ],
)
def test_only_the_newest_backup_counts(runs: list[dict[str, Any]], pod: Any) -> None:
    assert check_runs(*runs, pod=pod).state == "ok"


@pytest.mark.parametrize(
    ("job", "state"),
    [
        (cron_job(made=timedelta()), "ok"),
        (cron_job(made=56 * DAY, lastScheduleTime=ago(HOUR)), "failed"),
        (cron_job(lastScheduleTime=ago(56 * DAY)), "failed"),
        (cron_job(made=2 * DAY), "failed"),
        (cron_job("@hourly", made=4 * HOUR), "failed"),
        (cron_job("@monthly", made=HOUR), "ok"),
        (cron_job("0 0 1 1 *", made=400 * DAY, lastSuccessfulTime=ago(HOUR)), "ok"),
        (cron_job(made=90 * DAY, lastSuccessfulTime=ago(HOUR)), "ok"),
        (cron_job(made=90 * DAY, lastSuccessfulTime=ago(27 * HOUR)), "warning"),
        (cron_job(made=90 * DAY, lastSuccessfulTime=ago(75 * HOUR)), "failed"),
        (cron_job("*/5 * * * *", made=90 * DAY, lastSuccessfulTime=ago(DAY)), "failed"),
        (cron_job("0 3 * * MON", made=90 * DAY, lastSuccessfulTime=ago(22 * DAY)), "failed"),
        (cron_job(suspend=True, made=90 * DAY, lastSuccessfulTime=ago(9 * DAY)), "warning"),
    ],
)
def test_a_backup_is_fine_only_when_every_run_that_was_due_worked(
    job: dict[str, Any], state: str
) -> None:
    assert check(job).state == state


def check_drill(*runs: dict[str, Any], pods: list[Any], last: timedelta) -> Finding:
    job = cron_job(name="postgres-drill", made=90 * DAY, lastSuccessfulTime=ago(last))
    to = cluster(job, runs=[*runs])
    to.pods = lambda: pods
    (finding,) = drills(Facts(with_drill(), to))
    return finding


def ended_pod(job: str, **status: Any) -> dict[str, Any]:
    labels = {"app.kubernetes.io/component": "drill", "job-name": job}
    return {
        "metadata": {"name": f"{job}-x", "namespace": "todo-app", "labels": labels},
        "status": status,
    }


def test_a_drill_that_failed_says_what_its_pod_said_last_and_what_to_do() -> None:
    said = "restoring x.dump (9 bytes)\nx.dump cannot be restored: end of file\n"
    state = {"terminated": {"exitCode": 1, "message": said}}
    pod = ended_pod("weekly", phase="Failed", containerStatuses=[{"state": state}])
    found = check_drill(run("weekly", HOUR, conditions=FAILED), pods=[pod], last=20 * HOUR)
    assert (found.check, found.state) == ("restore drill", "failed")
    assert found.cause == "weekly failed: x.dump cannot be restored: end of file"
    assert found.command.startswith("kubectl logs -n todo-app job/weekly; python -m ops backup; ")
    assert found.command.endswith("python -m ops restore-drill --scheduled")


def test_a_drill_that_was_evicted_says_why() -> None:
    pod = ended_pod("weekly", phase="Failed", message="the node was low on ephemeral-storage")
    found = check_drill(run("weekly", HOUR, conditions=FAILED), pods=[pod], last=20 * HOUR)
    assert found.cause == "weekly failed: the node was low on ephemeral-storage"


@pytest.mark.parametrize(
    ("last", "state"), [(20 * HOUR, "ok"), (30 * HOUR, "warning"), (75 * HOUR, "failed")]
)
def test_the_age_of_the_last_good_drill_is_held_against_its_schedule(
    last: timedelta, state: str
) -> None:
    assert check_drill(pods=[], last=last).state == state


def test_status_says_how_old_the_last_good_drill_is() -> None:
    job = cron_job(name="postgres-drill", lastSuccessfulTime=ago(3 * DAY))
    assert "(3 d ago)" in (last_drill(with_drill(), cluster(job)) or "")
    assert last_drill(deployed(), cluster(None)) is None


def test_drills_without_a_schedule_are_nobodys_concern() -> None:
    for stack in (deployed(), with_database(backup=None), with_database_outside()):
        assert not list(drills(Facts(stack, cluster(None))))
        with pytest.raises(Failure) as refused:
            drill_cron_job(stack, cluster(None))
        assert refused.value.code == ExitCode.USAGE


def test_a_stack_without_a_backup_is_told() -> None:
    stack = with_database(backup=None)
    assert check(None, stack).detail == "nothing backs the database up"
    assert last_backup(stack, cluster(None)) is None


def test_a_cron_job_that_was_deleted_is_told() -> None:
    found = check(None)
    assert (found.state, found.command) == ("failed", "pulumi up --refresh")
    with pytest.raises(Failure, match="CronJob postgres-backup is missing"):
        backup_cron_job(deployed(), cluster(None))


def test_a_database_outside_the_cluster_is_backed_up_by_whoever_runs_it() -> None:
    stack = with_database_outside()
    assert not list(backups(Facts(stack, cluster(None))))
    with pytest.raises(Failure, match="outside the cluster"):
        backup_cron_job(stack, cluster(None))


def test_a_suspended_schedule_is_shown() -> None:
    job = cron_job(suspend=True, lastSuccessfulTime=ago(DAY))
    assert "suspended" in check(job).detail
    assert "suspended" in (last_backup(deployed(), cluster(job)) or "")


def test_a_backup_by_hand_counts_as_one_of_the_schedule() -> None:
    (owner,) = job_of(cron_job(), "manual", None)["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == ("CronJob", "u", True)
    assert "ownerReferences" not in job_of(cron_job(), "drill", [Script("true")])["metadata"]


def test_a_job_has_a_name_that_fits() -> None:
    long = cron_job()
    long["metadata"]["name"] = "p" * 52
    assert len(job_of(long, "manual", [Script("true")])["metadata"]["name"]) <= 63


def test_indexes_in_another_order_are_told(deploy: Callable[..., Deployed]) -> None:
    stack = deploy()
    stack.server.sql("DROP DATABASE todo")
    stack.server.sql(
        "CREATE DATABASE todo OWNER app TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'"
    )
    facts = Facts(stack.to.stack, stack.to.cluster)
    assert [finding.state for finding in collations(facts)] == ["ok"]
    stack.server.sql("UPDATE pg_database SET datcollversion = '1' WHERE datname = 'todo'")
    stack.server.sql(
        "UPDATE pg_collation SET collversion = '1' WHERE collname LIKE '%-icu'", "todo"
    )
    stack.sql('CREATE TABLE words(word text COLLATE "de-x-icu" UNIQUE)')
    found = list(collations(facts))
    assert [finding.state for finding in found] == ["failed", "failed"]
    assert [finding.detail.split()[0] for finding in found] == ["todo", "de-x-icu"]
    for finding in found:
        command = finding.command.split("shell-db -c '")[1].rstrip("'").replace("ALTER COLL", "-- ")
        stack.sql(command)
    assert [finding.detail.split()[0] for finding in collations(facts)] == ["de-x-icu"]
