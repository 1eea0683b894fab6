"""The rotation of the session key, cut off anywhere: pods of two versions always understand."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from console.failure import Failure
from ops.commands.rotate import rotate_jwt_key
from ops.context import Target
from ops.jwt_rotation import CURRENT, NEXT, PREVIOUS
from ops.kube import Ran
from tests.ops import stacks

FILES = {CURRENT: "jwt-key", NEXT: "jwt-next-key", PREVIOUS: "jwt-previous-key"}
KEYS = {f"todo:{name}": name for name in FILES}


class CutOffError(Exception):
    """The command was killed."""


class Deployed:
    """A stack's configuration and the keys its pods have."""

    def __init__(self) -> None:
        self.config = {CURRENT: "first"}
        self.pods = dict(self.config)
        self.rolled_out = datetime.now(UTC)
        self.progress = "NewReplicaSetAvailable"
        self.steps = 0
        self.last_step = 1000

    def _step(self) -> None:
        self.steps += 1
        if self.steps > self.last_step:
            raise CutOffError

    # What the rotation asks of Pulumi
    def configured(self, key: str) -> str | None:
        return self.config.get(KEYS[key])

    def set_secret(self, key: str, value: str) -> None:
        self._step()
        self.config[KEYS[key]] = value

    def remove_config(self, key: str) -> None:
        self._step()
        del self.config[KEYS[key]]

    def up(self, targets: Sequence[str]) -> None:
        assert targets
        self._step()
        old, new = self.pods, dict(self.config)
        # While pods are replaced, each gets sessions that the others signed.
        assert old[CURRENT] in new.values(), "new pods refuse the sessions of old ones"
        assert new[CURRENT] in old.values(), "old pods refuse the sessions of new ones"
        if old != new:
            self.pods, self.rolled_out = new, datetime.now(UTC)

    # What it asks of the cluster
    def get(self, kind: str, name: str) -> dict[str, Any]:
        if kind == "Secret":
            keys = {FILES[n]: base64.b64encode(v.encode()).decode() for n, v in self.pods.items()}
            # Made before the pods: the old ones sign with the former key until they are replaced.
            made = self.rolled_out - timedelta(hours=2)
            return {"metadata": {"creationTimestamp": made.isoformat()}, "data": keys}
        spec = {"containers": [{"name": "backend"}], "volumes": [{"secret": {"secretName": "s"}}]}
        conditions = [
            {"type": "Available", "lastUpdateTime": "2026-01-01T00:00:00Z"},
            {
                "type": "Progressing",
                "reason": self.progress,
                "lastUpdateTime": self.rolled_out.isoformat(),
            },
        ]
        return {
            "spec": {"selector": {"matchLabels": {}}, "template": {"spec": spec}},
            "status": {"conditions": conditions},
        }

    def pods_of(self) -> list[dict[str, Any]]:
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        return [{"metadata": {"name": "backend-1"}, "status": ready}]


def rotate(deployed: Deployed, **options: bool) -> None:
    to = Target(Path(), None)
    stack = stacks.deployed()
    stack.pulumi = cast(
        "Any",
        SimpleNamespace(
            config=deployed.configured,
            set_secret=deployed.set_secret,
            remove_config=deployed.remove_config,
            up=deployed.up,
        ),
    )
    cluster = SimpleNamespace(
        get=deployed.get,
        pods=lambda selector: deployed.pods_of(),
        run=lambda pod, container, command: Ran(0, "60\n", ""),
    )
    to.__dict__ |= {"stack": stack, "cluster": cluster}
    context: Any = SimpleNamespace(obj=to)
    rotate_jwt_key(context, **{"finish": False, "now": False, "yes": True, **options})


def test_both_keys_are_accepted_until_the_rotation_is_finished() -> None:
    deployed = Deployed()
    rotate(deployed)
    assert set(deployed.pods) == {CURRENT, PREVIOUS}
    assert deployed.pods[PREVIOUS] == "first" != deployed.pods[CURRENT]
    deployed.rolled_out -= timedelta(minutes=61)
    rotate(deployed, finish=True)
    assert set(deployed.pods) == {CURRENT}
    assert "first" not in deployed.pods.values()


def test_finishing_waits_for_the_last_session() -> None:
    deployed = Deployed()
    rotate(deployed)
    with pytest.raises(Failure, match="in use for another 59 min"):
        rotate(deployed, finish=True)
    assert deployed.pods[PREVIOUS] == "first"
    rotate(deployed, finish=True, now=True)
    assert PREVIOUS not in deployed.pods


def test_finishing_waits_while_pods_are_replaced() -> None:
    deployed = Deployed()
    rotate(deployed)
    deployed.rolled_out -= timedelta(minutes=61)
    deployed.progress = "ReplicaSetUpdated"
    with pytest.raises(Failure, match="in use for another 60 min"):
        rotate(deployed, finish=True)


def test_a_second_rotation_needs_the_first_to_be_finished() -> None:
    deployed = Deployed()
    rotate(deployed)
    with pytest.raises(Failure, match="rotate-jwt-key --finish"):
        rotate(deployed)


@pytest.mark.parametrize("last_step", range(6))
def test_a_rotation_cut_off_anywhere_goes_on(last_step: int) -> None:
    deployed = Deployed()
    deployed.last_step = last_step
    with pytest.raises(CutOffError):
        rotate(deployed)
    deployed.last_step = 1000
    assert deployed.pods[CURRENT] in {"first", deployed.config[CURRENT]}
    if last_step:
        with pytest.raises(Failure, match="A rotation was cut off"):
            rotate(deployed, finish=True)
    rotate(deployed)
    assert deployed.pods == deployed.config
    assert deployed.pods[PREVIOUS] == "first" != deployed.pods[CURRENT]


def test_a_finish_cut_off_goes_on() -> None:
    deployed = Deployed()
    rotate(deployed)
    deployed.rolled_out -= timedelta(minutes=61)
    deployed.last_step = deployed.steps + 1
    with pytest.raises(CutOffError):
        rotate(deployed, finish=True)
    deployed.last_step = 1000
    rotate(deployed, finish=True)
    assert deployed.pods == deployed.config
    assert set(deployed.pods) == {CURRENT}


def test_a_key_of_a_former_file_is_not_brought_back_unasked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deployed = Deployed()
    rotate(deployed)
    before = dict(deployed.pods)
    deployed.config = {CURRENT: "first"}  # as a colleague's clone has it
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(Failure, match=r"in a file from before the last rotation, a former one\."):
        rotate(deployed, yes=False)
    assert deployed.pods == before
