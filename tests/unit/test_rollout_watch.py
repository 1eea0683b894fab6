"""While a rollout is awaited, the reason of pods that do not start is said."""

import copy
from typing import Any

import pulumi
import pytest

from components.app.app_deployment import AppDeployment, AppDeploymentArgs
from components.cluster.polling import Polling
from components.cluster.rollout_watch import RolloutWatch
from components.postgres import PostgresStatefulSet, PostgresStatefulSetArgs
from tests.recording import record

MESSAGE = "back-off 20s restarting failed container=backend-init"


def pod(name: str, reason: str | None, *, deleted: bool = False) -> dict[str, Any]:
    metadata = {"name": name, "uid": name}
    if deleted:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    crashing = {
        "name": "backend-init",
        "state": {"waiting": {"reason": reason, "message": MESSAGE}},
        "lastState": {"terminated": {"exitCode": 1}},
    }
    waiting = {"name": "backend", "state": {"waiting": {"reason": "PodInitializing"}}}
    shown: Any = waiting if reason else {"state": {"running": {}}}
    status: dict[str, Any] = {"containerStatuses": [shown]}
    if reason:
        status["initContainerStatuses"] = [crashing]
    return {"metadata": metadata, "status": status}


class Cluster:
    """One that shows other pods at each look, the last ones for ever."""

    def __init__(self, *looks: list[dict[str, Any]] | Exception) -> None:
        self.looks = [*looks]

    def request(self, method: str, path: str, body: object = None) -> Any:
        assert (method, path) == ("GET", "/api/v1/namespaces/x/pods?labelSelector=app=shop")
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, Exception):
            raise look
        return {"items": copy.deepcopy(look)}


def reason(cluster: Cluster, grace: float = 0.0) -> str | None:
    watch = RolloutWatch(cluster, Polling(timeout=0.3, grace=grace, interval=0.01))
    return watch.reason("x", "app=shop")


def test_a_migration_that_keeps_failing_is_told_with_the_command_that_shows_its_log() -> None:
    said = reason(Cluster([pod("good", None), pod("new", "CrashLoopBackOff")]))
    assert said == (
        f"pod new: CrashLoopBackOff: {MESSAGE}; "
        "look with `kubectl -n x logs new -c backend-init --previous`"
    )


def test_a_pod_that_no_node_has_room_for_is_told() -> None:
    crowded = "0/1 nodes are available: 1 Insufficient cpu."
    condition = {"type": "PodScheduled", "reason": "Unschedulable", "message": crowded}
    new = {"metadata": {"name": "new", "uid": "new"}, "status": {"conditions": [condition]}}
    said = reason(Cluster([pod("old", None), new]))
    assert said == f"pod new: {crowded}; look with `kubectl -n x describe pod new`"


def restarted(name: str, times: int, *, initial: bool, code: int = 1) -> dict[str, Any]:
    """A pod whose container runs again after it has failed."""
    ended = {"exitCode": code, "reason": "Error", "message": "no such table"}
    again: dict[str, Any] = {
        "name": "c",
        "restartCount": times,
        "state": {"running": {}},
        "lastState": {"terminated": ended},
    }
    kind = "initContainerStatuses" if initial else "containerStatuses"
    return {"metadata": {"name": name, "uid": name}, "status": {kind: [again]}}


@pytest.mark.parametrize(("times", "initial"), [(1, True), (2, False)])
def test_a_container_that_fails_slowly_is_told_as_soon_as_it_has_failed(
    times: int, initial: bool
) -> None:
    said = reason(Cluster([restarted("new", times, initial=initial)]), grace=60)
    assert said == (
        f"pod new: c has failed {times}x with exit code 1: no such table; "
        "look with `kubectl -n x logs new -c c --previous`"
    )


def test_the_database_is_watched_from_its_first_pod_on(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    inputs = {
        "kind": "StatefulSet",
        "metadata": {"namespace": "x", "name": "postgres"},
        "spec": {"selector": {"matchLabels": {"app": "shop"}}},
    }
    watch = RolloutWatch(
        Cluster([pod("postgres-0", "ErrImagePull")]), Polling(grace=0, interval=0.01)
    )
    watch.begin(inputs).join(60)
    assert said[0].startswith("StatefulSet x/postgres does not get ready: pod postgres-0")

    def program() -> None:
        args = PostgresStatefulSetArgs(namespace="x", password="p", api=Cluster([]))
        PostgresStatefulSet("db", args)

    assert "first pod of db" in record(program).one("StatefulSet").hooks


def test_a_cluster_that_does_not_answer_once_is_asked_again() -> None:
    assert reason(Cluster(pulumi.RunError("away"), [pod("new", "ErrImagePull")]))


@pytest.mark.parametrize(
    ("looks", "grace"),
    [
        ([[pod("good", None)]], 0.0),
        ([[pod("starting", "PodInitializing")]], 0.0),
        ([[pod("former", "CrashLoopBackOff", deleted=True)]], 0.0),
        ([[pod("slow", "ErrImagePull")], [pod("slow", None)]], 0.1),
        ([[restarted("waited for its database", 1, initial=False)]], 0.0),
        ([[restarted("done", 2, initial=True, code=0)]], 0.0),
        ([[pod("former", "ErrImagePull")], [], [pod("new", None)]], 0.1),
    ],
)
def test_what_goes_by_itself_is_not_told(looks: list[Any], grace: float) -> None:
    assert reason(Cluster(*looks), grace) is None


def test_the_reason_is_said_to_whoever_runs_the_update(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    inputs = {
        "metadata": {"namespace": "x", "name": "shop"},
        "spec": {"selector": {"matchLabels": {"app": "shop"}}},
    }
    watch = RolloutWatch(Cluster([pod("new", "ErrImagePull")]), Polling(grace=0, interval=0.01))
    watch.begin(inputs).join(60)
    assert said[0].startswith("Deployment x/shop does not get ready: pod new: ErrImagePull")


def test_every_deployment_with_a_cluster_to_ask_is_watched() -> None:
    def program() -> None:
        args = AppDeploymentArgs(image="shop:1", namespace="x", port=80, api=Cluster([]))
        AppDeployment("shop", args)

    hooks = record(program).one("Deployment").hooks
    assert hooks.count("pods of shop") == 2, "before it is made and before it changes"
