"""Jobs beside the backups: what becomes known of one that failed."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from console.failure import Failure
from ops.dumps import read
from ops.jobs import JobFailed, Script, run_job
from ops.kube import Cluster
from ops.retry import BrokenError

_CONTAINER = {"name": "backup", "command": ["sh"]}
CRON_JOB: dict[str, Any] = {
    "metadata": {"name": "postgres-backup", "uid": "u"},
    "spec": {
        "jobTemplate": {
            "spec": {"template": {"metadata": {}, "spec": {"containers": [_CONTAINER]}}}
        }
    },
}


def test_a_job_that_failed_tells_all_that_it_printed_and_is_removed() -> None:
    removed: list[str] = []
    printed = ["refused", "there is no backup nope: see `python -m ops backups`"]
    cluster = SimpleNamespace(
        create=lambda kind, body: None,
        find=lambda kind, name: {"status": {"failed": 1}},
        pods=lambda selector: [{"metadata": {"name": "pod"}}],
        log=lambda pod, query: printed,
        delete=lambda kind, name: removed.append(name),
    )
    with pytest.raises(JobFailed, match="The job drill failed: there is no backup nope") as failed:
        run_job(cast("Cluster", cluster), CRON_JOB, "drill", [Script("exit 1")])
    assert read(failed.value.lines).refused
    assert len(removed) == 1


class _Breaking:
    """A cluster in which a job ends well, whose log's connection breaks so often."""

    def __init__(self, times: int) -> None:
        self._times = times

    def create(self, kind: str, body: object) -> None: ...

    def delete(self, kind: str, name: str) -> None: ...

    def find(self, kind: str, name: str) -> dict[str, Any]:
        return {"status": {"succeeded": 1}}

    def pods(self, selector: str) -> list[dict[str, Any]]:
        return [{"metadata": {"name": "pod"}}]

    def log(self, pod: str, query: object) -> Iterator[str]:
        yield "first"
        if self._times:
            self._times -= 1
            raise BrokenError(pod, "the log")
        yield "last"


def test_what_a_job_has_said_is_read_whole_or_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.jobs.time.sleep", lambda _: None)
    done = run_job(cast("Cluster", _Breaking(2)), CRON_JOB, "load", [Script("exit 0")])
    assert done.lines == ["first", "last"]
    with pytest.raises(Failure, match=r"ended well, but what it said cannot be read: .* broke"):
        run_job(cast("Cluster", _Breaking(3)), CRON_JOB, "load", [Script("exit 0")])


class _Slow:
    """A cluster whose clock goes on by half a minute with each look at one job and its pod."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *looks: dict[str, Any]) -> None:
        self._looks, self._now = [*looks], 0.0
        monkeypatch.setattr("ops.jobs.time.monotonic", lambda: self._now)
        monkeypatch.setattr("ops.jobs.time.sleep", lambda _: None)

    def find(self, kind: str, name: str) -> dict[str, Any]:
        self._now += 30
        if len(self._looks) > 1:
            self._looks.pop(0)
        return {"status": self._looks[0].get("job", {})}

    def pods(self, selector: str) -> list[dict[str, Any]]:
        return [{"metadata": {"name": "pod", "namespace": "todo"}, "status": self._looks[0]["pod"]}]

    def items(self, kind: str) -> list[dict[str, Any]]:
        return []

    def create(self, kind: str, body: object) -> None: ...

    def delete(self, kind: str, name: str) -> None: ...

    def log(self, pod: str, query: object) -> list[str]:
        return ["done"]


def _pod(phase: str, dump: str, store: str) -> dict[str, Any]:
    return {
        "phase": phase,
        "initContainerStatuses": [{"name": "dump", "image": "i", "state": {dump: {}}}],
        "containerStatuses": [{"name": "store", "image": "i", "state": {store: {}}}],
    }


def _run(cluster: _Slow) -> list[str]:
    return run_job(cast("Cluster", cluster), CRON_JOB, "backup", [Script("exit 0")]).lines


def test_a_job_whose_steps_take_long_has_started(monkeypatch: pytest.MonkeyPatch) -> None:
    dumping, between = (
        _pod("Pending", "running", "waiting"),
        _pod("Pending", "terminated", "waiting"),
    )
    storing, ended = (
        _pod("Running", "terminated", "running"),
        _pod("Succeeded", *["terminated"] * 2),
    )
    looks = [*[dumping] * 12, between, *[storing] * 12, ended, ended]
    cluster = _Slow(
        monkeypatch, *({"pod": it} for it in looks), {"pod": ended, "job": {"succeeded": 1}}
    )
    assert _run(cluster) == ["done"]


def test_a_job_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    pod = _pod("Pending", "waiting", "waiting")
    pod["initContainerStatuses"][0]["state"]["waiting"] = {"reason": "ErrImageNeverPull"}
    with pytest.raises(Failure, match="did not start within 120 s: its image i is not on the node"):
        _run(_Slow(monkeypatch, {"pod": pod}))


def test_a_job_with_which_the_cluster_does_not_go_on_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(Failure, match="the cluster does not go on with it; run this again"):
        _run(_Slow(monkeypatch, {"pod": _pod("Succeeded", "terminated", "terminated")}))
