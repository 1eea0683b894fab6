"""The checks of `validate` on backups, their drills, and what a new base system does to indexes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cronsim import CronSim

from cluster_objects.json_tree import Json, part, parts
from console.duration import age, seconds_since
from ops.cnpg.checks import archiving
from ops.contract import OperatorDatabase
from ops.database import sql
from ops.diagnosis import cannot_start, container_states
from ops.facts import Facts
from ops.findings import Finding, State, failed, ok, warning
from ops.repair import REPAIR

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


@dataclass(frozen=True)
class _Scheduled:
    """What runs by a CronJob, and what to do when it does not work."""

    check: str
    cron_job: str
    again: str
    """What makes one good again."""
    state: State
    """What it means that the newest one failed, before another was missed."""


def backups(facts: Facts) -> Iterator[Finding]:
    """The last scheduled backup worked, or what is written is archived all the time."""
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
    if isinstance(server, OperatorDatabase):
        yield from archiving(facts, server.cluster, server.backup)
        return
    again = "python -m ops backup"
    # The next one may work, and there are those before it.
    yield _look(facts, _Scheduled("backup", server.backup.cron_job, again, "warning"))


def drills(facts: Facts) -> Iterator[Finding]:
    """The last scheduled restore drill worked, where there is a schedule."""
    if drill := facts.stack.contract.drill:
        again = "python -m ops backup; python -m ops restore-drill --scheduled"
        yield _look(facts, _Scheduled("restore drill", drill.cron_job, again, "failed"))


def _look(facts: Facts, it: _Scheduled) -> Finding:
    cron_job = facts.cluster.find("CronJob", it.cron_job)
    if cron_job is None:
        missing = f"CronJob {it.cron_job} is missing"
        return failed(it.check, missing, "it was deleted by hand", REPAIR)
    newest = _newest_run(facts, cron_job)
    return _stuck(facts, it, newest) or _judge(facts, it, cron_job, newest)


def _newest_run(facts: Facts, cron_job: Json) -> Json | None:
    """Returns the newest Job of a CronJob; those of a drill or a restore are nobody's."""
    uid = cron_job["metadata"]["uid"]
    runs = [
        job
        for job in facts.cluster.items("Job")
        if any(owner["uid"] == uid for owner in parts(job, "metadata", "ownerReferences"))
    ]
    return max(runs, key=lambda job: str(job["metadata"]["creationTimestamp"]), default=None)


def _pods_of(facts: Facts, run: Json) -> list[Json]:
    name = run["metadata"]["name"]
    return [pod for pod in facts.pods if part(pod, "metadata", "labels").get("job-name") == name]


def _stuck(facts: Facts, it: _Scheduled, run: Json | None) -> Finding | None:
    """Returns why the pod of a run does not start: nobody watches it at night."""
    if run is None or part(run, "status").get("succeeded"):
        return None
    for pod in _pods_of(facts, run):
        if found := cannot_start(pod, facts.events):
            detail = f"{run['metadata']['name']} does not start: {found.detail}"
            return failed(it.check, detail, found.cause, found.command)
    return None


def _why(facts: Facts, run: Json) -> str | None:
    """Returns why a run failed: the last that its pod said, else what the Job says; None: not."""
    conditions = parts(run, "status", "conditions")
    ended = next((c for c in conditions if c["type"] == "Failed" and c["status"] == "True"), None)
    if ended is None:
        return None
    for pod in reversed(_pods_of(facts, run)):
        for container in container_states(pod):
            said = str(part(container, "state", "terminated").get("message") or "").strip()
            if said:
                return said.splitlines()[-1]
        if evicted := part(pod, "status").get("message"):
            return str(evicted)
    return str(ended.get("message") or ended.get("reason", "it does not say why"))


def _judge(facts: Facts, it: _Scheduled, job: Json, newest: Json | None) -> Finding:
    name, status, namespace = it.cron_job, part(job, "status"), facts.cluster.namespace
    last: str | None = status.get("lastSuccessfulTime")
    done = f"the last one that worked is {age(seconds_since(last))} old" if last else "none yet"
    look = f"kubectl get jobs -n {namespace}; {it.again}"
    if job["spec"].get("suspend"):
        go_on = f'kubectl patch cronjob {name} -n {namespace} -p \'{{"spec":{{"suspend":false}}}}\''
        return warning(it.check, f"{name} is suspended; {done}", "somebody suspended it", go_on)
    begin = last or job["metadata"].get("creationTimestamp") or status.get("lastScheduleTime")
    missed = _missed(job, begin) if begin else 0
    cause = "the job fails or does not start, or the cluster was off"
    why = _why(facts, newest) if newest else None
    if newest and why:
        run = newest["metadata"]["name"]
        cause = f"{run} failed: {why}"
        look = f"kubectl logs -n {namespace} job/{run}; {it.again}"
    if not missed and why:
        return Finding(it.check, it.state, f"the newest one failed; {done}", cause, look)
    if not missed:
        schedule = f"scheduled ({job['spec']['schedule']} UTC), none was due yet"
        return ok(it.check, f"{age(seconds_since(last))} ago" if last else schedule)
    if not last:
        return failed(it.check, f"none has ever worked, and {missed} were due", cause, look)
    if missed == 1 and not (why and it.state == "failed"):
        return warning(it.check, f"{done}, and one was missed since", cause, look)
    return failed(it.check, f"{done}, and {missed} were missed since", cause, look)


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
