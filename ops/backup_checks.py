"""The checks of `validate` on backups, and on what a new base system does to indexes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from cronsim import CronSim

from cluster_objects.json_tree import Json, part, parts
from ops.database import sql
from ops.diagnosis import cannot_start
from ops.facts import Facts
from ops.findings import Finding, failed, ok, warning
from ops.repair import REPAIR
from ops.terminal import age
from ops.workloads import seconds_since

_HOUR = 3600
# The names that Kubernetes takes too: https://pkg.go.dev/github.com/robfig/cron/v3.
_NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_COLLATIONS = r"""
SELECT current_setting('server_version_num')::int >= 150000 AS noted \gset
\if :noted
SELECT datname, datcollversion, pg_database_collation_actual_version(oid) FROM pg_database
WHERE datname = current_database()
AND datcollversion <> pg_database_collation_actual_version(oid);
\endif
SELECT DISTINCT collname, collversion, pg_collation_actual_version(c.oid) FROM pg_collation c
JOIN pg_attribute ON attcollation = c.oid
WHERE attrelid >= 16384 AND collversion <> pg_collation_actual_version(c.oid);
"""


def backups(facts: Facts) -> Iterator[Finding]:
    """The last scheduled backup worked."""
    server = facts.stack.contract.server
    if server is None:
        return
    if server.backup is None:
        yield warning(
            "backup",
            "nothing backs the database up",
            "database.backup is not set",
            "set database.backup in the stack's settings, then pulumi up",
        )
        return
    name = server.backup.cron_job
    job = facts.cluster.find("CronJob", name)
    if job is None:
        yield failed("backup", f"CronJob {name} is missing", "it was deleted by hand", REPAIR)
        return
    newest = _newest_run(facts, job)
    yield _stuck(facts, newest) or _backup(job, newest, facts.cluster.namespace)


def _newest_run(facts: Facts, cron_job: Json) -> Json | None:
    """Returns the newest Job of a CronJob; those of a drill or a restore are nobody's."""
    uid = cron_job["metadata"]["uid"]
    runs = [
        job
        for job in facts.cluster.items("Job")
        if any(owner["uid"] == uid for owner in parts(job, "metadata", "ownerReferences"))
    ]
    return max(runs, key=lambda job: str(job["metadata"]["creationTimestamp"]), default=None)


def _stuck(facts: Facts, run: Json | None) -> Finding | None:
    """Returns why the pod of a run does not start: nobody watches it at night."""
    if run is None or part(run, "status").get("succeeded"):
        return None
    name = run["metadata"]["name"]
    for pod in facts.pods:
        if part(pod, "metadata", "labels").get("job-name") != name:
            continue
        if found := cannot_start(pod, facts.events):
            detail = f"{name} does not start: {found.detail}"
            return failed("backup", detail, found.cause, found.command)
    return None


def _backup(job: Json, newest: Json | None, namespace: str) -> Finding:
    name, status = job["metadata"]["name"], part(job, "status")
    last: str | None = status.get("lastSuccessfulTime")
    done = f"the last one that worked is {age(seconds_since(last))} old" if last else "none yet"
    look = f"kubectl get jobs -n {namespace}; python -m ops backup"
    if job["spec"].get("suspend"):
        go_on = f'kubectl patch cronjob {name} -n {namespace} -p \'{{"spec":{{"suspend":false}}}}\''
        return warning("backup", f"{name} is suspended; {done}", "somebody suspended it", go_on)
    begin = last or job["metadata"].get("creationTimestamp") or status.get("lastScheduleTime")
    missed = _missed(job, begin) if begin else 0
    cause = "the job fails or does not start, or the cluster was off"
    conditions = parts(newest, "status", "conditions")
    ended = next(
        (it for it in conditions if it["type"] == "Failed" and it["status"] == "True"), None
    )
    if newest and ended:
        run = newest["metadata"]["name"]
        cause = (
            f"{run} failed: {ended.get('message') or ended.get('reason', 'it does not say why')}"
        )
        look = f"kubectl logs -n {namespace} job/{run}; python -m ops backup"
    if not missed and ended:
        return warning("backup", f"the newest one failed; {done}", cause, look)
    if not missed:
        schedule = f"scheduled ({job['spec']['schedule']} UTC), none was due yet"
        return ok("backup", f"{age(seconds_since(last))} ago" if last else schedule)
    if not last:
        return failed("backup", f"none has ever worked, and {missed} were due", cause, look)
    if missed == 1:
        return warning("backup", f"{done}, and one was missed since", cause, look)
    return failed("backup", f"{done}, and {missed} were missed since", cause, look)


def _missed(job: Json, begin: str) -> int:
    """Returns how many runs were due since a time, those left out that may still succeed."""
    spec = job["spec"]
    running = part(spec, "jobTemplate", "spec").get("activeDeadlineSeconds") or _HOUR
    slack = timedelta(seconds=(spec.get("startingDeadlineSeconds") or 0) + running)
    schedule = str(spec["schedule"])
    due = CronSim(_NAMED.get(schedule, schedule), datetime.fromisoformat(begin).astimezone(UTC))
    latest = datetime.now(UTC) - slack
    missed = 0
    for when in due:
        if when > latest:
            break
        missed += 1
        if missed == 100:  # a schedule of minutes: enough to know
            break
    return missed


def collations(facts: Facts) -> Iterator[Finding]:
    """The system sorts text as it did when the indexes were built.

    PostgreSQL notes the version of each collation and says so in the log only when it changes;
    unique indexes on text may then miss rows. PostgreSQL manual, "ALTER COLLATION", Notes.
    """
    if facts.stack.contract.server is None:
        return
    found = sql(facts.stack, facts.cluster, _COLLATIONS, superuser=True).splitlines()
    for line in found:
        name, then, now = line.split("|")
        database = facts.stack.contract.database.name
        refresh = f'ALTER COLLATION "{name}" REFRESH VERSION'
        if name == database:
            refresh = f'ALTER DATABASE "{name}" REFRESH COLLATION VERSION'
        yield failed(
            "collation",
            f"{name} was built with version {then}, the system has {now}",
            "the database's image has another base system, which may sort text differently",
            "python -m ops backup; python -m ops shell-db -c "
            f"'REINDEX DATABASE \"{database}\"; {refresh};'",
        )
    if not found:
        yield ok("collation", "the indexes are in the system's order")
