"""A rollout: what cannot start fails the update, and a corrected template heals it."""

import copy
import time
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from components.cluster.polling import Polling
from components.postgres import PostgresStatefulSet, PostgresStatefulSetArgs
from components.postgres.hooks import register_server_hooks
from components.postgres.identity import VolumeIdentity
from components.postgres.rollout import PostgresRollout
from components.values.postgres.input_names import InputNames
from tests.recording import record


class Controller:
    """An API server with the one StatefulSet x/postgres, whose controller is as stubborn."""

    def __init__(self) -> None:
        self.generation = 1
        self.images: dict[str, str] = {}
        self.deleted: list[str] = []
        self.pod: dict[str, Any] | None = None
        self.missing = False
        self.replicas = 1
        self.apply("good")

    def apply(self, image: str) -> None:
        """What the plugin does: a new template. Only a pod that is ready is replaced by it."""
        self.generation += 1
        self.revision = f"postgres-{self.generation}"
        self.images[self.revision] = image
        if self.pod is None or self.pod["status"]["conditions"][0]["status"] == "True":
            self._start()

    def _start(self) -> None:
        good = self.images[self.revision] == "good"
        state = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
        self.pod = {
            "metadata": {
                "name": "postgres-0",
                "uid": f"uid-{self.revision}",
                "labels": {"controller-revision-hash": self.revision},
            },
            "status": {
                "conditions": [{"type": "Ready", "status": "True" if good else "False"}],
                "containerStatuses": [{"state": {"running": {}} if good else state}],
            },
        }

    def request(self, method: str, path: str, body: Any = None) -> Any:
        found: Any = None
        if path == "/api/v1/namespaces/x/pods/postgres-0":
            found = self.pod
            if method == "DELETE" and self.pod:
                assert body["preconditions"] == {"uid": self.pod["metadata"]["uid"]}
                self.deleted.append(body["preconditions"]["uid"])
                self._start()
        elif path == "/apis/apps/v1/namespaces/x/statefulsets/postgres" and not self.missing:
            found = {
                "metadata": {"generation": self.generation},
                "spec": {"replicas": self.replicas},
                "status": {
                    "observedGeneration": self.generation,
                    "updateRevision": self.revision,
                },
            }
        return copy.deepcopy(found)


def rollout_of(controller: Controller, grace: float = 0.0) -> PostgresRollout:
    return PostgresRollout(controller, polling=Polling(timeout=10, grace=grace, interval=0.01))


def test_a_ready_server_is_settled_and_left_alone() -> None:
    controller = Controller()
    rollout_of(controller).wait("x", "postgres")
    assert controller.deleted == []


def test_an_image_that_is_nowhere_fails_with_the_pods_reason_and_what_to_do() -> None:
    controller = Controller()
    controller.apply("nope")
    with pytest.raises(pulumi.RunError) as caught:
        rollout_of(controller).wait("x", "postgres")
    sentence = str(caught.value)
    assert "x/postgres: pod postgres-0: ImagePullBackOff: no such image" in sentence
    assert "kubectl -n x describe pod postgres-0" in sentence
    assert "correct PostgresStatefulSetArgs" in sentence
    assert controller.deleted == []


def test_what_is_still_broken_fails_the_next_update_too() -> None:
    controller = Controller()
    controller.apply("nope")
    for _ in range(2):
        with pytest.raises(pulumi.RunError, match="no such image"):
            rollout_of(controller).wait("x", "postgres")


def test_a_registry_that_is_away_for_a_moment_is_waited_for() -> None:
    controller = Controller()
    controller.apply("nope")
    rollout = rollout_of(controller, grace=9)
    controller.pod = None
    controller.apply("good")
    rollout.wait("x", "postgres")


def test_a_corrected_template_replaces_the_pod_that_never_started() -> None:
    controller = Controller()
    controller.apply("nope")
    stuck = controller.revision
    rollout = rollout_of(controller)
    rollout.heal(pulumi.ResourceHookArgs("urn", "x/postgres", "postgres", "StatefulSet"))
    controller.apply("good")
    deadline = time.monotonic() + 60
    while not controller.deleted and time.monotonic() < deadline:
        time.sleep(0.01)
    rollout.wait("x", "postgres")
    assert controller.deleted == [f"uid-{stuck}"]


def test_a_correction_that_was_cut_off_is_healed_by_the_next_update() -> None:
    controller = Controller()
    controller.apply("nope")
    controller.apply("good")
    rollout_of(controller).wait("x", "postgres")
    assert len(controller.deleted) == 1


@pytest.mark.parametrize("ready", ["True", "False"])
def test_a_pod_whose_server_runs_is_never_deleted(ready: str) -> None:
    """It may recover from a crash, and goes by itself when it is ready."""
    controller = Controller()
    assert controller.pod
    controller.pod["status"]["conditions"][0]["status"] = ready
    controller.generation, controller.revision = 9, "postgres-9"
    rollout = PostgresRollout(controller, polling=Polling(timeout=0.1, interval=0.01))
    with pytest.raises(pulumi.RunError, match="its former pod ends"):
        rollout.wait("x", "postgres")
    assert controller.deleted == []


def test_a_server_that_somebody_deleted_is_no_success() -> None:
    controller = Controller()
    controller.missing = True
    with pytest.raises(pulumi.RunError, match="pulumi up --refresh"):
        rollout_of(controller).wait("x", "postgres")


def test_an_api_server_that_is_away_for_a_moment_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    controller, answers = Controller(), [False, True, False]
    request = controller.request

    def flaky(method: str, path: str, body: Any = None) -> Any:
        if answers and not answers.pop():
            raise pulumi.RunError("HTTP 503")
        return request(method, path, body)

    monkeypatch.setattr(controller, "request", flaky)
    rollout_of(controller, grace=5).wait("x", "postgres")
    assert not answers
    answers[:] = [False] * 1000
    with pytest.raises(pulumi.RunError, match="HTTP 503"):
        rollout_of(controller).wait("x", "postgres")


def test_a_server_that_somebody_scaled_to_nothing_is_not_waited_for() -> None:
    controller = Controller()
    controller.pod = None
    controller.replicas = 0
    rollout_of(controller).wait("x", "postgres")


def test_every_update_follows_the_server() -> None:
    followed: list[str] = []

    def program() -> None:
        args = PostgresStatefulSetArgs(namespace="x", password="p", api=Controller())
        PostgresStatefulSet("postgres", args)

    record(program, wait=lambda _, *names: followed.extend(names))
    assert followed[0].startswith("postgres-stateful-set")


def test_what_is_to_be_corrected_has_the_name_that_the_program_gives_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named: list[str] = []

    def heal(rollout: PostgresRollout, _: pulumi.ResourceHookArgs) -> None:
        named.append(rollout.corrected_in)

    def program() -> None:
        identity = VolumeIdentity("shop", InputNames(server="shop:database"))
        hooks = register_server_hooks("postgres", Controller(), identity).before_update or []
        args = pulumi.ResourceHookArgs("urn", "x/postgres", "postgres", "StatefulSet")
        for hook in hooks:
            if isinstance(hook, pulumi.ResourceHook) and hook.name == "pod of postgres":
                hook.callback(args)

    monkeypatch.setattr(PostgresRollout, "heal", heal)
    record(program)
    assert named == ["shop:database"]


def _let_time_pass_by_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, no second goes by between two looks but those of the pause."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=sleep)
    monkeypatch.setattr("components.cluster.polling.time", clock)


def test_while_the_plugin_waits_the_reason_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    controller = Controller()
    controller.apply("bad")
    _let_time_pass_by_waiting(monkeypatch)
    rollout = PostgresRollout(controller, polling=Polling(timeout=100, grace=20, interval=1))
    rollout.replace_stuck("x", "postgres", controller.generation - 1)
    assert len(said) == 1
    assert "the database does not run: x/postgres: pod postgres-0: ImagePullBackOff" in said[0]
