"""The commands where an operator runs the database, on a cluster that answers from memory."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from console.failure import Failure
from ops.backup_checks import backups
from ops.cnpg import recovery
from ops.cnpg.switchover import successor
from ops.commands.backups import restore_drill
from ops.commands.restore import restore
from ops.commands.separate_roles import separate_roles
from ops.context import Target
from ops.contract import OperatorDatabase
from ops.database import sql
from ops.facts import Facts
from ops.kube import Cluster, Ran
from ops.moments import moment, require_recoverable
from ops.password_places import places
from ops.stack import Stack
from tests.ops import stacks
from tests.ops.live_clusters import live, with_operator

NINE = datetime(2026, 1, 31, 9, tzinfo=UTC)


class Api:
    """A cluster's objects by kind and name; pods run nothing, and say what they were asked."""

    def __init__(self, **objects: dict[str, Any]) -> None:
        self.namespace = "todo-app"
        self.objects: dict[str, dict[str, Any]] = {
            "Cluster": {"postgres": live()},
            "ScheduledBackup": {"postgres-backup": {}},
            **objects,
        }
        self.asked: list[str] = []
        self.answer = ""
        self.log_lines: list[str] = []
        self.fails = False

    def find(self, kind: str, name: str, **_: str) -> dict[str, Any] | None:
        return self.objects.get(kind, {}).get(name)

    def get(self, kind: str, name: str) -> dict[str, Any]:
        return self.objects[kind][name]

    def items(self, kind: str, **_: str) -> list[dict[str, Any]]:
        return [*self.objects.get(kind, {}).values()]

    def pods(self, selector: str) -> list[dict[str, Any]]:
        if self.fails and "jobRole" in selector:
            metadata = {"name": "postgres-recovery-1-full-recovery"}
            containers = {"containers": [{"name": "full-recovery"}]}
            return [{"metadata": metadata, "spec": containers, "status": {"phase": "Failed"}}]
        return []

    def log(self, pod: str, query: object) -> list[str]:
        return self.log_lines

    def create(self, kind: str, body: dict[str, Any]) -> None:
        ready = {"readyInstances": 1, "currentPrimary": f"{body['metadata']['name']}-1"}
        status = {} if self.fails else ready
        self.objects.setdefault(kind, {})[body["metadata"]["name"]] = {**body, "status": status}

    def delete(self, kind: str, name: str) -> None:
        self.objects.get(kind, {}).pop(name, None)

    def run(self, pod: str, container: str, command: Sequence[str], stdin: str = "") -> Ran:
        self.asked.append(pod)
        return Ran(0, self.answer, "")


def as_cluster(api: Api) -> Cluster:
    return cast("Cluster", api)


def target(stack: Stack, api: Api) -> Any:
    to = Target(Path(), None)
    vars(to).update(stack=stack, cluster=api)
    return SimpleNamespace(obj=to)


def database_of(stack: Stack) -> OperatorDatabase:
    found = stack.contract.database
    assert isinstance(found, OperatorDatabase)
    return found


def test_sql_goes_to_the_server_that_takes_writes_now() -> None:
    api = Api()
    sql(with_operator(), as_cluster(api), "SELECT 1;")
    api.objects["Cluster"]["postgres"] = live(currentPrimary="postgres-3")
    sql(with_operator(), as_cluster(api), "SELECT 1;")
    assert api.asked == ["postgres-2", "postgres-3"]


def test_a_cluster_without_a_primary_is_said() -> None:
    api = Api(Cluster={"postgres": live(currentPrimary="")})
    with pytest.raises(Failure, match="has no primary yet; see `python -m ops validate`"):
        sql(with_operator(), as_cluster(api), "SELECT 1;")


@pytest.mark.parametrize(
    ("wanted", "status", "expected"),
    [
        (None, {}, "postgres-1"),
        ("postgres-3", {}, "postgres-3"),
        (None, {"instancesStatus": {"healthy": ["postgres-2", "postgres-3"]}}, "postgres-3"),
    ],
)
def test_a_healthy_follower_takes_over(wanted: str, status: Any, expected: str) -> None:
    assert successor(live(**status), wanted) == expected


@pytest.mark.parametrize(
    ("wanted", "status", "sentence"),
    [
        ("postgres-2", {}, "postgres-2 takes the writes already"),
        ("postgres-9", {}, "postgres-9 is no healthy follower of postgres-2; there are postgres-1"),
        (None, {"instancesStatus": {"healthy": ["postgres-2"]}}, "set database.instances to 2"),
    ],
)
def test_nobody_else_takes_over(wanted: str, status: Any, sentence: str) -> None:
    with pytest.raises(Failure, match=sentence):
        successor(live(**status), wanted)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31T09:00:00Z", NINE),
        ("2026-01-31T10:00:00+01:00", NINE),
        ("2026-01-31T09:00:00.25Z", NINE.replace(microsecond=250_000)),
    ],
)
def test_a_moment_has_a_zone(text: str, expected: datetime) -> None:
    assert moment(text) == expected


@pytest.mark.parametrize("text", ["2026-01-31", "2026-01-31T09:00:00", "yesterday", "", "9"])
def test_what_names_no_moment_is_refused(text: str) -> None:
    with pytest.raises(Failure, match="write it as 2026-01-31T09:00:00Z"):
        moment(text)


@pytest.mark.parametrize(
    ("when", "first", "sentence"),
    [
        (NINE.replace(hour=8), NINE, "before the first base backup, which ended 2026-01-31T09:00"),
        (NINE.replace(hour=23), NINE, "has not come yet"),
        (NINE, None, "There is no base backup yet"),
    ],
)
def test_a_moment_outside_of_what_is_archived_is_refused(
    when: datetime, first: datetime | None, sentence: str
) -> None:
    with pytest.raises(Failure, match=sentence):
        require_recoverable(when, first, NINE.replace(hour=12))


def test_what_is_recovered_is_like_the_live_one_and_archives_nothing() -> None:
    found = recovery.beside(live(), database_of(with_operator()), NINE)
    spec = found["spec"]
    assert found["metadata"]["name"] == "postgres-recovery"
    assert "backup" not in spec
    assert "synchronous" not in spec["postgresql"]
    assert spec["instances"] == 1
    for key in ("imageName", "storage", "inheritedMetadata"):
        assert spec[key] == live()["spec"][key]
    assert spec["postgresql"]["parameters"] == live()["spec"]["postgresql"]["parameters"]
    bootstrap = spec["bootstrap"]["recovery"]
    assert bootstrap["recoveryTarget"] == {"targetTime": "2026-01-31T09:00:00Z"}
    assert bootstrap["secret"] == {"name": "postgres-credentials"}
    assert spec["externalClusters"] == [
        {
            "name": bootstrap["source"],
            "barmanObjectStore": {
                "destinationPath": "s3://backups/todo/wal",
                "endpointURL": "https://store.example.org",
                "serverName": "postgres",
            },
        }
    ]


def recovery_of(api: Api, when: datetime | None = NINE) -> recovery.Recovery:
    return recovery.Recovery(as_cluster(api), database_of(with_operator()), when)


def test_a_recovery_that_was_cut_off_is_replaced_by_the_next() -> None:
    api = Api()
    for hour in (9, 10):
        last = recovery_of(api, NINE.replace(hour=hour))
        assert last.recover().cluster == "postgres-recovery"
    made = api.objects["Cluster"]["postgres-recovery"]["spec"]["bootstrap"]["recovery"]
    assert made["recoveryTarget"] == {"targetTime": "2026-01-31T10:00:00Z"}
    last.remove()
    assert [*api.objects["Cluster"]] == ["postgres"]


def test_of_two_recoveries_at_once_none_takes_the_others_for_its_own() -> None:
    api = Api()
    first, second = recovery_of(api), recovery_of(api, None)
    first.recover()
    first.require_own()
    second.recover()
    with pytest.raises(Failure, match="Another drill or restore runs; wait for it"):
        first.require_own()
    first.remove()
    second.require_own()


def test_a_recovery_that_meets_another_one_in_the_making_gives_way() -> None:
    api = Api()
    other = recovery_of(api, None)

    class Late(Api):
        def create(self, kind: str, body: dict[str, Any]) -> None:
            """Another one was faster: the API returns what is there."""
            other.recover()

    late = Late(**api.objects)
    late.objects = api.objects
    with pytest.raises(Failure, match="Another drill or restore runs"):
        recovery_of(late).recover()
    other.require_own()


def test_a_cluster_of_somebody_else_is_neither_replaced_nor_removed() -> None:
    theirs = {"metadata": {"name": "postgres-recovery"}}
    api = Api(Cluster={"postgres": live(), "postgres-recovery": theirs})
    mine = recovery_of(api)
    with pytest.raises(Failure, match="that this program did not make"):
        mine.recover()
    mine.remove()
    assert api.objects["Cluster"]["postgres-recovery"] is theirs


def test_a_log_that_ends_too_early_is_said() -> None:
    api = Api()
    api.fails = True
    api.log_lines = ["FATAL: recovery ended before configured recovery target was reached"]
    with pytest.raises(Failure, match="The archived log ends before that moment"):
        recovery_of(api).recover()


def test_of_a_lost_clusters_log_nothing_more_is_to_be_expected() -> None:
    api = Api()
    api.fails = True
    api.log_lines = ["FATAL: recovery ended before configured recovery target was reached"]
    origin = recovery.Origin(destination="s3://backups/todo/wal", name="postgres-old")
    it = recovery.Recovery(as_cluster(api), database_of(with_operator()), NINE, origin)
    with pytest.raises(Failure, match="name an earlier one, or leave --to out for the newest"):
        it.recover()


def test_the_operator_and_the_pods_have_the_password_from_their_own_secrets() -> None:
    volumes = [{"name": "secrets", "secret": {"secretName": "backend-x"}}]
    backend = {"spec": {"template": {"spec": {"volumes": volumes}}}}
    api = Api(Deployment={"backend": backend})
    found = {(it.service, it.secret, it.key) for it in places(with_operator(), as_cluster(api))}
    assert found == {
        ("backend", "backend-x", "database-password"),
        ("database", "postgres-credentials", "password"),
    }


def checked(stack: Stack, **status: Any) -> list[str]:
    api = Api(Cluster={"postgres": live(**status)})
    api.answer = "12.5\n"
    facts = Facts(stack, as_cluster(api))
    return [f"{it.state}: {it.detail} ({it.command})" for it in backups(facts)]


def test_validate_says_whether_what_is_written_is_archived() -> None:
    assert checked(with_operator()) == [
        "ok: any moment since 2026-01-31T09:00:00Z; log archived 12 s ago ()"
    ]
    [line] = checked(with_operator(), firstRecoverabilityPoint=None)
    assert line.startswith("failed: there is no base backup")
    refused = {"type": "ContinuousArchiving", "status": "False", "message": "403 Forbidden"}
    [line] = checked(with_operator(), conditions=[refused])
    assert line.startswith("failed: the write-ahead log is not archived: 403 Forbidden")
    [line] = checked(with_operator(backup=None))
    assert line.startswith("warning: nothing backs the database up")


@pytest.mark.parametrize(
    ("stack", "call", "sentence"),
    [
        (with_operator(), lambda it: separate_roles(it, yes=True), "never been a superuser"),
        (
            with_operator(),
            lambda it: restore(it, yes=True),
            "python -m ops restore --to 2026-01-31T09:00:00Z",
        ),
        (
            with_operator(backup=None),
            lambda it: restore(it, yes=True, moment="2026-01-31T09:00:00Z"),
            "set database.backup in the stack's settings",
        ),
        (
            stacks.deployed(),
            lambda it: restore(it, yes=True, moment="2026-01-31T09:00:00Z"),
            "Recovery to a moment needs database.mode operator",
        ),
        (
            with_operator(),
            lambda it: restore(it, yes=True, moment="2026-01-31T09:00:00Z", dump="x"),
            "--dump and --to name two things",
        ),
        (with_operator(), lambda it: restore_drill(it, dump="x"), "--dump is for backups"),
    ],
)
def test_what_does_not_apply_is_refused_in_one_sentence(
    stack: Stack, call: Any, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.database.require_ready", lambda *_: None)
    monkeypatch.setattr("ops.commands.restore.refuse_while_upgrading", lambda _: None)
    with pytest.raises(Failure, match=sentence):
        call(target(stack, Api()))
