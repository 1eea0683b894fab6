"""The order of a release, and what its last line says; Pulumi and the cluster are stood in for."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cluster_objects.preview import Plan, Step
from console.failure import ExitCode, Failure
from ops import data_guard, database
from ops.checks import Check
from ops.context import Target
from ops.contract import Service
from ops.findings import Finding, failed
from ops.kube import Cluster
from ops.pulumi_stack import PulumiStack
from ops.release import former_images, interruption, pulumi_run, restore_point, verdict
from ops.release import release as module
from ops.release.release import Choices, release
from ops.release.rollout import Rollout
from ops.release.verdict import Verdict
from ops.round_trip import UNANSWERED
from ops.stack import Stack
from tests.ops.live_clusters import DATABASE as OPERATED
from tests.ops.stacks import EXAMPLE, deployed, with_database, with_database_outside

SETTING = "todo:settings.images.pins.backend"
BUILD = "urn:pulumi:dev::todo::docker-build:index:Image::backend"
BACKEND: dict[str, Any] = EXAMPLE["services"][0] | {"imageSetting": SETTING, "imageBuild": BUILD}
WRONG = failed("round trip", "sign up: HTTP 500, no text", "see the backend's log", "logs")
CHOICES = Choices(refresh=False, replaced_data=(), restore_point=True, seconds=None, yes=False)
NOTHING = Plan(nothing=True, whole=True, steps=())


def step(kind: str, name: str, before: str = "", after: str = "", op: str = "update") -> Step:
    images = {"images_before": (before,), "images_after": (after,)}
    urn = f"urn:pulumi:dev::todo::{kind}::{name}"
    return Step(op=op, urn=urn, type=kind, name=name, kept=False, **images)


DEPLOYMENT = "kubernetes:apps/v1:Deployment"
PLAN = Plan(nothing=False, whole=True, steps=(step(DEPLOYMENT, "backend", "it:1", "it:2"),))

SERVING = {
    "metadata": {"labels": {"app.kubernetes.io/component": "backend"}},
    "spec": {"containers": [{"name": "backend", "image": "it:2"}]},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}
"""A pod that is ready."""

WAY_BACK = ["preview of the way back", "up --refresh copy --exclude=it", "check"]
"""What is done to bring the images of before back."""


class World:
    """What a release meets, and the order in which it does what."""

    def __init__(self) -> None:
        self.done = list[str]()
        self.updates: Sequence[str | None] = ()
        """How each run of `pulumi up` ends, in their order; as well as those after them."""
        self.broken_before: Sequence[Finding] = ()
        self.broken_after: list[Sequence[Finding]] = []
        self.still_broken: Sequence[Finding] = ()
        self.back: Plan | None = NOTHING
        """What the way back would do; None: its preview fails."""
        self.replaced: Sequence[Service] = deployed(services=[BACKEND]).contract.services
        self.interrupted_at = -1
        """Before which step of all somebody presses Ctrl-C, from zero."""

    def _do(self, step: str) -> None:
        if len(self.done) == self.interrupted_at:
            raise KeyboardInterrupt
        self.done.append(step)

    def planned(self, _: object, *options: str, refresh: bool, rules: bool = True) -> Plan:
        if not options:
            self._do("preview --refresh" if refresh else "preview")
            return PLAN
        self._do("preview of the way back")
        if self.back is None:
            raise Failure("`pulumi preview` failed.")
        return self.back

    def update(self, _: object, *options: str, **__: object) -> str | None:
        self._do(" ".join(("up", *(it for it in options if "config-file" not in it))))
        ends = [None, *reversed(self.updates)]
        self.updates = self.updates[1:]
        return ends[-1]

    def settled(self, *_: object) -> Verdict:
        self._do("check")
        new = self.broken_after.pop(0) if self.broken_after else ()
        return Verdict(new=new, still=self.still_broken)

    def diagnosis(self, _: object) -> list[Finding]:
        if self.interrupted_at == -2:
            raise KeyboardInterrupt
        return [WRONG]

    def back_up(self, _: object) -> str:
        self._do("back up")
        return "--dump todo-1.dump"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    it = World()
    monkeypatch.setattr(pulumi_run, "planned", it.planned)
    monkeypatch.setattr(pulumi_run, "update", it.update)
    monkeypatch.setattr(verdict, "broken", lambda _: it.broken_before)
    monkeypatch.setattr(verdict, "settled", it.settled)
    monkeypatch.setattr(verdict, "diagnosis", it.diagnosis)
    monkeypatch.setattr(restore_point, "make", it.back_up)
    monkeypatch.setattr(former_images, "replaced", lambda *_: it.replaced)
    monkeypatch.setattr(
        former_images, "options", lambda *_: nullcontext(["--config-file", "copy", "--exclude=it"])
    )
    monkeypatch.setattr(module, "Rollout", lambda *_: SimpleNamespace(obstacle=lambda: None))
    monkeypatch.setattr(module, "_afresh", lambda to: to)
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    return it


def target(*pending: object) -> Target:
    """Returns a stack, with what an update has not ended that was killed."""
    stack = deployed(services=[BACKEND, *EXAMPLE["services"][1:]])
    state = {"deployment": {"pending_operations": [*pending]}}
    vars(stack)["pulumi"] = SimpleNamespace(
        name="dev", project=Path("/nowhere"), project_name="todo", export=lambda: state
    )
    cluster = SimpleNamespace(pods=lambda: [SERVING])
    return cast("Target", SimpleNamespace(stack=stack, cluster=cluster, project=Path()))


def fails(plan: Plan | None = PLAN, choices: Choices = CHOICES) -> str:
    with pytest.raises(Failure) as failure:
        release(target(), plan, choices)
    return str(failure.value)


def test_a_release_backs_up_updates_and_checks(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert release(target(), None, CHOICES)
    assert world.done == ["preview", "back up", "up", "check"]
    assert "Released" in capsys.readouterr().out


def test_what_make_up_has_previewed_is_not_previewed_again(world: World) -> None:
    assert release(target(), PLAN, CHOICES)
    assert "preview" not in world.done


def test_nothing_to_change_is_no_update_where_all_runs(
    world: World, monkeypatch: pytest.MonkeyPatch, time_flies: list[float]
) -> None:
    monkeypatch.setattr(pulumi_run, "planned", lambda *_, **__: NOTHING)
    assert not release(target(), None, CHOICES)
    assert world.done == []
    world.broken_before = [WRONG]
    assert release(target(), None, CHOICES)
    # Without a refresh that nobody has asked for, whose findings no guard has seen.
    assert world.done == ["up", "check"]


def test_what_is_broken_for_a_moment_before_the_release_is_no_excuse_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch, time_flies: list[float]
) -> None:
    monkeypatch.setattr(pulumi_run, "planned", lambda *_, **__: NOTHING)
    monkeypatch.setattr(verdict, "broken", Seen([WRONG], []))
    assert not release(target(), None, CHOICES)
    assert world.done == []


def test_a_refresh_is_one_of_preview_and_update(world: World) -> None:
    assert release(target(), None, replace(CHOICES, refresh=True, restore_point=False))
    assert world.done == ["preview --refresh", "up --refresh", "check"]


def test_there_is_no_backup_where_nobody_wants_one(world: World) -> None:
    release(target(), PLAN, replace(CHOICES, restore_point=False))
    assert "back up" not in world.done


def test_data_is_guarded_before_anything_is_changed(world: World) -> None:
    going = step("kubernetes:apps/v1:StatefulSet", "postgres", op="replace")
    said = fails(Plan(nothing=False, whole=True, steps=(going,)))
    assert "StatefulSet/postgres" in said
    assert world.done == []


def test_an_update_that_fails_is_explained_and_taken_back(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.updates = ["pod backend-1: backend keeps ending with exit code 3"]
    said = fails()
    assert world.done == ["back up", "up", *WAY_BACK]
    assert said == (
        "release failed: pod backend-1: backend keeps ending with exit code 3; the images are "
        "those of before again: backend localhost/todo/backend:1; fix what is said above and run "
        "this again; the data of before: python -m ops --stack dev restore --dump todo-1.dump"
    )
    shown = capsys.readouterr().out
    assert "sign up: HTTP 500" in shown
    assert "see the backend's log" in shown


def test_a_release_that_does_not_answer_is_taken_back(world: World) -> None:
    world.broken_after = [[WRONG]]
    said = fails()
    assert world.done == ["back up", "up", "check", *WAY_BACK]
    assert said.startswith("release failed: round trip: sign up: HTTP 500, no text; the images are")


def test_where_the_images_are_the_same_there_is_nothing_to_take_back(world: World) -> None:
    world.updates, world.replaced = ["`pulumi up` failed"], ()
    said = fails(choices=replace(CHOICES, restore_point=False))
    assert world.done == ["up"]
    assert "the images are the same as before, so there is nothing to take back" in said
    assert said.endswith("fix what is said above and run this again")


def test_an_image_that_no_setting_names_stays(world: World) -> None:
    world.updates, world.replaced = ["no"], deployed().contract.services[:1]
    assert "names the image of backend, so it stays" in fails()
    assert world.done == ["back up", "up"]


def test_the_way_back_takes_no_data_with_it_that_nobody_has_named(world: World) -> None:
    world.updates = ["no"]
    going = step("kubernetes:apps/v1:StatefulSet", "postgres", op="replace")
    world.back = Plan(nothing=False, whole=True, steps=(going,))
    assert "delete or replace what holds data (StatefulSet/postgres)" in fails()
    assert world.done == ["back up", "up", "preview of the way back"]
    world.updates = ["no"]
    assert "the images are those of before again" in fails(
        choices=replace(CHOICES, replaced_data=["StatefulSet/postgres"])
    )


@pytest.mark.parametrize("stage", ["preview", "update", "check", "file"])
def test_images_that_cannot_be_brought_back_are_said_so(
    world: World, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.updates = ["no"]
    match stage:
        case "preview":
            world.back = None
        case "update":
            world.updates = ["no", "pod backend-2: cannot pull it"]
        case "check":
            world.broken_after = [[WRONG]]
        case _:

            def refuse(*_: object) -> None:
                raise Failure("Pulumi.dev.yaml cannot be read (it is no mapping).")

            monkeypatch.setattr(former_images, "options", refuse)
    said = fails()
    assert "and the images of before could not be brought back: " in said
    assert said.count("\n") == 0
    assert said.endswith("python -m ops --stack dev restore --dump todo-1.dump")


def test_where_the_images_are_not_back_it_is_said_what_runs_instead(world: World) -> None:
    world.broken_after = [[WRONG]]
    world.updates = [None, "pod backend-2: cannot pull localhost/todo/backend:1"]
    assert (
        "could not be brought back: pod backend-2: cannot pull localhost/todo/backend:1; "
        "what runs now: backend it:2; fix what is said above and run this again"
    ) in fails()


@pytest.mark.parametrize(
    ("after", "says"),
    [
        (0, "Interrupted before the update, so nothing was changed; run this again."),
        (1, "Interrupted before the update, so nothing was changed; run this again."),
        (
            2,
            "Interrupted in the update: what it had changed by then is deployed, but not checked",
        ),
        (3, "Interrupted after the update: released, but not checked; see `python -m ops"),
        (-2, "Interrupted on the way back: release failed: round trip: sign up: HTTP 500"),
        (4, "Interrupted on the way back: release failed: round trip: sign up: HTTP 500"),
        (5, "Interrupted on the way back: release failed: round trip: sign up: HTTP 500"),
        (6, "Interrupted on the way back: release failed: round trip: sign up: HTTP 500"),
    ],
)
def test_whoever_interrupts_a_release_reads_how_things_stand_and_how_it_goes_on(
    world: World, after: int, says: str
) -> None:
    world.broken_after = [[WRONG]]
    world.interrupted_at = after
    with pytest.raises(Failure) as failure:
        release(target(), None, CHOICES)
    said = str(failure.value)
    assert said.startswith(says)
    assert failure.value.code == ExitCode.INTERRUPTED
    assert "\n" not in said
    if after in (0, 1):
        assert "up" not in world.done
    else:
        assert "the images of before, if you want them back: backend localhost/todo/b" in said
        assert "python -m ops --stack dev restore --dump todo-1.dump" in said
    assert len(world.done) == after or after == -2


def test_ctrl_c_at_the_question_about_data_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(data_guard, "confirm", interrupt)
    with pytest.raises(Failure, match="so nothing was changed") as failure:
        release(target(), replace(PLAN, whole=False), CHOICES)
    assert failure.value.code == ExitCode.INTERRUPTED
    assert world.done == []


def test_a_release_after_one_that_was_killed_looks_first_at_what_is_there(world: World) -> None:
    assert release(target({"type": "updating"}), None, replace(CHOICES, restore_point=False))
    assert world.done == ["preview --refresh", "up --refresh", "check"]


def lock(folder: Path, **holder: object) -> Path:
    file = folder / ".pulumi" / "locks" / "organization" / "todo" / "dev" / "1.json"
    file.parent.mkdir(parents=True)
    known = {"hostname": os.uname().nodename, "username": "me", "pid": 2**30}
    file.write_text(json.dumps(known | holder))
    return file


def test_the_way_back_is_open_though_pulumi_was_killed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interruption, "_sees_all_processes", lambda: True)

    def killed(pulumi: object, *options: str, **more: object) -> str | None:
        if "up" not in world.done:
            lock(tmp_path)
        assert "--refresh" not in options or not [*tmp_path.rglob("*.json")]
        return world.update(pulumi, *options, **more)

    world.updates = ["`pulumi up` failed with what it printed above"]
    monkeypatch.setenv("PULUMI_BACKEND_URL", tmp_path.as_uri())
    monkeypatch.setattr(pulumi_run, "update", killed)
    assert "the images are those of before again" in fails()


def test_in_a_container_the_lock_of_a_process_that_is_not_there_is_left_alone(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interruption, "_sees_all_processes", lambda: False)
    monkeypatch.setenv("PULUMI_BACKEND_URL", tmp_path.as_uri())
    file = lock(tmp_path)
    assert "run pulumi cancel first" in fails()
    assert file.exists()


def test_while_another_update_runs_there_is_no_release(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", tmp_path.as_uri())
    file = lock(tmp_path, pid=os.getpid())
    host = os.uname().nodename
    assert f"is running (process {os.getpid()} of me on {host}); wait for its end" in fails()
    assert world.done == []
    file.rename(file.parent.parent.parent / "1.json")  # of the stack of no project
    assert release(target(), PLAN, CHOICES)


def test_what_was_broken_before_and_still_is_keeps_the_images_and_is_no_success(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.broken_before = world.still_broken = [WRONG]
    assert fails().startswith("Released, but what did not work before still does not (round trip:")
    assert world.done == ["back up", "up", "check"]
    assert "sign up: HTTP 500" in capsys.readouterr().out


def test_what_was_broken_before_and_works_by_now_is_a_success(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.broken_before = [WRONG]
    assert release(target(), PLAN, CHOICES)
    assert "sign up" not in capsys.readouterr().out


def test_where_no_way_leads_from_here_to_an_address_a_release_is_a_success_as_before(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = failed("address backend", "refused", UNANSWERED[0], "python -m ops forward")
    world.broken_before = world.still_broken = [nobody]
    assert release(target(), PLAN, CHOICES)
    assert "address backend" in capsys.readouterr().out


def test_a_release_that_nobody_could_check_is_said_to_be_deployed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Verdict:
        raise Failure("The cluster does not answer.", ExitCode.UNREACHABLE)

    monkeypatch.setattr(verdict, "settled", refuse)
    said = fails()
    assert said.startswith("released, but not checked: The cluster does not answer; see")
    assert "backend localhost/todo/backend:1" in said
    assert world.done == ["back up", "up"]


def of_another_version() -> Target:
    outputs = {"operations": EXAMPLE | {"laterField": 1}}
    pulumi = SimpleNamespace(name="dev", outputs=lambda: outputs)
    stack = Stack.__new__(Stack)
    stack.pulumi = cast("Any", pulumi)
    return cast("Target", SimpleNamespace(stack=stack, cluster=None, project=Path()))


def test_what_another_version_has_deployed_is_updated_without_a_way_back(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert release(of_another_version(), PLAN, CHOICES)
    assert world.done == ["up"]
    said = capsys.readouterr().out
    assert "operations.laterField" in said
    assert "no image goes back" in said
    assert "make up" not in said


def test_data_of_another_version_is_guarded_all_the_same(world: World) -> None:
    going = step("kubernetes:apps/v1:StatefulSet", "postgres", op="replace")
    with pytest.raises(Failure, match="StatefulSet/postgres"):
        release(of_another_version(), Plan(nothing=False, whole=True, steps=(going,)), CHOICES)
    assert world.done == []


class Seen:
    """What is broken at each look, the last one from then on."""

    def __init__(self, *looks: Sequence[Finding]) -> None:
        self.looks = [*looks]

    def __call__(self, *_: object) -> Sequence[Finding]:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


@pytest.fixture
def time_flies(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waiting takes no time, but the clock knows of it."""
    now = [0.0]
    monkeypatch.setattr("console.waiting.time.monotonic", lambda: now[0])
    monkeypatch.setattr(
        "console.waiting.time.sleep", lambda seconds: now.__setitem__(0, now[0] + seconds)
    )
    return now


def watched(
    obstacle: str | None = None,
    patience: float = 180.0,
    is_making_room: Callable[[], bool] = lambda: False,
) -> Rollout:
    it = SimpleNamespace(obstacle=lambda: obstacle, patience=patience)
    it.is_making_room = is_making_room
    return cast("Rollout", it)


STARTING = failed("pod backend-6b7-new", "is starting", "it is new", "")


def test_a_pod_that_is_starting_after_the_update_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, time_flies: list[float]
) -> None:
    monkeypatch.setattr(verdict, "broken", Seen(*[[STARTING]] * 15, []))
    assert verdict.settled(target(), (), watched()).new == []
    assert time_flies[0] >= 28


def test_a_pod_that_is_made_while_all_is_looked_at_is_waited_for_too(
    monkeypatch: pytest.MonkeyPatch, time_flies: list[float]
) -> None:
    monkeypatch.setattr(verdict, "broken", Seen([], *[[STARTING]] * 20, []))
    assert verdict.settled(target(), (), watched()).new == []


def test_while_pods_are_waited_for_nobody_signs_up(
    monkeypatch: pytest.MonkeyPatch, time_flies: list[float]
) -> None:
    asked = list[str]()

    def run(_: object, checks: Sequence[Check]) -> list[Finding]:
        asked.append(" ".join(it.__name__ for it in checks))
        return [STARTING] if len(asked) < 20 else []

    monkeypatch.setattr(verdict, "run", run)
    assert verdict.settled(target(), (), watched()).new == []
    assert sum("round_trip" in it for it in asked) == 1


def test_what_a_pod_of_before_answers_on_its_way_out_says_nothing_of_the_release(
    monkeypatch: pytest.MonkeyPatch, time_flies: list[float]
) -> None:
    def answers_well() -> bool:
        return time_flies[0] < 30

    def run(_: object, checks: Sequence[Check]) -> list[Finding]:
        return [] if len(checks) == 1 or answers_well() else [WRONG]

    monkeypatch.setattr(verdict, "run", run)
    found = verdict.settled(target(), (), watched(is_making_room=answers_well))
    assert found.new == [WRONG]


def test_one_look_that_takes_all_the_time_is_not_the_last(
    monkeypatch: pytest.MonkeyPatch, time_flies: list[float]
) -> None:
    looks = Seen([], [WRONG], [])

    def run(_: object, checks: Sequence[Check]) -> Sequence[Finding]:
        time_flies[0] += 35
        return looks()

    monkeypatch.setattr(verdict, "run", run)
    assert verdict.settled(target(), (), watched()).new == []


def test_a_pod_of_before_that_never_goes_is_not_waited_for_any_longer_than_a_new_one(
    monkeypatch: pytest.MonkeyPatch, time_flies: list[float]
) -> None:
    monkeypatch.setattr(verdict, "broken", Seen([]))
    found = verdict.settled(target(), (), watched(patience=60, is_making_room=lambda: True))
    assert found.new == []
    assert 60 <= time_flies[0] < 70


def test_a_pod_that_will_not_get_ready_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, time_flies: list[float]
) -> None:
    monkeypatch.setattr(verdict, "broken", Seen([STARTING]))
    assert verdict.settled(target(), (), watched("it keeps ending")).new == [STARTING]
    assert time_flies[0] < 30


def test_a_pod_that_is_late_counts_once_its_time_is_over(
    monkeypatch: pytest.MonkeyPatch, time_flies: list[float]
) -> None:
    monkeypatch.setattr(verdict, "broken", Seen([STARTING]))
    assert verdict.settled(target(), (), watched(patience=60)).new == [STARTING]
    assert 60 < time_flies[0] < 90


def test_a_pod_that_was_broken_before_is_waited_for_a_minute(
    monkeypatch: pytest.MonkeyPatch, time_flies: list[float]
) -> None:
    monkeypatch.setattr(verdict, "broken", Seen([STARTING]))
    assert verdict.settled(target(), [STARTING], watched()).still == [STARTING]
    assert 60 <= time_flies[0] < 90


def test_a_pod_that_the_update_has_given_its_image_again_is_none_that_still_does_not_run(
    monkeypatch: pytest.MonkeyPatch, time_flies: list[float]
) -> None:
    lost = failed("pod frontend-6b7-x2z", "its image it:1 is not on the node", "", "")
    workload = failed("deployment frontend", "0 of 2 pods ready", "", "")
    monkeypatch.setattr(verdict, "broken", Seen(*[[workload, lost]] * 12, []))
    found = verdict.settled(target(), [workload, lost], watched())
    assert (found.new, found.still) == ([], [])
    assert time_flies[0] > 20


def test_only_what_ran_before_can_be_newly_broken(
    monkeypatch: pytest.MonkeyPatch, time_flies: list[float]
) -> None:
    pod = failed("pod backend-6b7-x2z", "crashes", "", "")
    other = failed("pod frontend-6b7-x2z", "crashes", "", "")
    monkeypatch.setattr(verdict, "broken", Seen([pod, other, WRONG]))
    known = [failed("pod backend-5a6-aaa", "crashes", "", ""), WRONG]
    found = verdict.settled(target(), known, watched("it keeps ending"))
    assert (found.new, found.still) == ([other], [pod, WRONG])
    assert found.unmended == pod


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        (step(DEPLOYMENT, "backend", "it:1", "it:2"), True),
        (step(DEPLOYMENT, "backend", "it:1", "it:1"), False),
        (step(DEPLOYMENT, "frontend", "it:1", "it:2"), False),
        (step("kubernetes:apps/v1:StatefulSet", "postgres"), True),
        (step("kubernetes:core/v1:PersistentVolumeClaim", "postgres-backup"), True),
        (step("kubernetes:core/v1:PersistentVolumeClaim", "postgres-backup", op="create"), False),
        (step("kubernetes:core/v1:ConfigMap", "backend"), False),
    ],
)
def test_there_is_a_restore_point_before_what_may_change_data(changed: Step, wanted: bool) -> None:
    plan = Plan(nothing=False, whole=True, steps=(changed,))
    assert restore_point.is_wanted(plan, deployed().contract) == wanted


def operated(
    monkeypatch: pytest.MonkeyPatch, *, ready: int = 1, archives: str = "True", first: bool = True
) -> Target:
    """A stack whose database an operator runs, with its Cluster in a state."""
    archiving = {"type": "ContinuousArchiving", "status": archives, "message": "no bucket"}
    status: dict[str, Any] = {"readyInstances": ready, "conditions": [archiving]}
    if first:
        status["firstRecoverabilityPoint"] = "2026-01-31T09:00:00Z"
    cluster = SimpleNamespace(find=lambda *_: {"status": status})
    monkeypatch.setattr(database, "sql", lambda *_: "2026-02-01T09:00:00Z\n")
    stack = deployed(database=OPERATED)
    vars(stack)["pulumi"] = SimpleNamespace(name="dev")
    return cast("Target", SimpleNamespace(stack=stack, cluster=cluster))


def test_where_all_is_archived_the_restore_point_is_the_servers_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert restore_point.make(operated(monkeypatch)) == "--to 2026-02-01T09:00:00Z"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"archives": "False"}, "the log is not archived: no bucket"),
        ({"first": False}, "there is no base backup yet"),
    ],
)
def test_a_moment_that_nothing_leads_back_to_is_no_restore_point(
    state: Any, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = "`python -m ops --stack dev release --no-restore-point`"
    with pytest.raises(Failure, match=f"{said}.*{without}; nothing was changed"):
        restore_point.make(operated(monkeypatch, **state))


def test_a_database_that_does_not_run_has_no_restore_point_and_may_be_mended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert restore_point.make(operated(monkeypatch, ready=0)) is None
    assert "the database does not run" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("written", "options", "said"),
    [
        ("wrote /backups/todo-1.dump", "--dump todo-1.dump", "restore point: todo-1.dump, 4.0 s"),
        ("all is well", None, "made, but it does not say its name; see python -m ops --stack dev"),
    ],
)
def test_a_backup_that_was_made_is_named(
    written: str,
    options: str | None,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    done = SimpleNamespace(lines=[written], seconds=4.0)
    monkeypatch.setattr(database, "require_ready", lambda *_: None)
    monkeypatch.setattr(restore_point, "backup_cron_job", lambda *_: {})
    monkeypatch.setattr(restore_point, "run_job", lambda *_: done)
    assert restore_point.make(target()) == options
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        (with_database_outside(), "the database is outside the cluster"),
        (with_database(backup=None), "the database makes no backups"),
    ],
)
def test_where_there_can_be_no_restore_point_a_line_says_so(
    stack: Any, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    to = cast("Target", SimpleNamespace(stack=stack, cluster=None))
    assert restore_point.make(to) is None
    assert said in capsys.readouterr().out


WRITTEN = "config:\n  todo:settings: {zip: 012, at: 12:30:00, on: on}  # YAML 1.2\n"


def test_the_former_images_are_pinned_in_a_copy_that_is_gone_afterwards(tmp_path: Path) -> None:
    told = list[tuple[str, Mapping[str, str]]]()

    def set_in_file(file: Path, values: Mapping[str, str]) -> None:
        told.append((file.read_text(), values))

    pulumi = SimpleNamespace(
        project=tmp_path,
        name="organization/todo/dev",
        set_in_file=set_in_file,
    )
    (tmp_path / "Pulumi.dev.yaml").write_text(WRITTEN)
    services = deployed(services=[BACKEND]).contract.services
    with former_images.options(cast("PulumiStack", pulumi), services) as options:
        first, copy, *rest = options
        assert Path(copy).exists()
    assert (first, rest) == ("--config-file", [f"--exclude={BUILD}"])
    assert told == [(WRITTEN, {SETTING: "localhost/todo/backend:1"})]
    assert not Path(copy).exists()
    assert (tmp_path / "Pulumi.dev.yaml").read_text() == WRITTEN


def test_a_stack_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    pulumi = cast("PulumiStack", SimpleNamespace(project=tmp_path, name="dev"))
    services = deployed(services=[BACKEND]).contract.services
    with (
        pytest.raises(Failure, match=r"Pulumi\.dev\.yaml cannot be read \("),
        former_images.options(pulumi, services),
    ):
        pass


def running(image: str) -> Any:
    containers = [{"name": "backend", "image": image}]
    return {"spec": {"template": {"spec": {"containers": containers}}}}


@pytest.mark.parametrize(("image", "changed"), [("localhost/todo/backend:1", 0), ("it:2", 1)])
def test_images_are_compared_with_what_is_in_the_cluster(image: str, changed: int) -> None:
    cluster = cast("Cluster", SimpleNamespace(find=lambda *_: running(image)))
    services = deployed(services=[BACKEND]).contract.services
    assert len(former_images.replaced(cluster, services)) == changed


class Pods:
    """The cluster's pods, which a test changes."""

    def __init__(self) -> None:
        self.there = list[dict[str, Any]]()

    def pods(self) -> list[dict[str, Any]]:
        return self.there

    def find(self, kind: str, name: str) -> Any:
        return {"spec": {"progressDeadlineSeconds": 100}}

    def items(self, kind: str) -> list[dict[str, Any]]:
        return []

    def log(self, pod: str, query: Any) -> list[str]:
        return ["no such column"]


def pod(uid: str, *, ready: bool = False, **status: Any) -> dict[str, Any]:
    conditions = [
        {"type": "PodScheduled", "status": "True"},
        {"type": "Ready", "status": str(ready)},
    ]
    labels = {"app.kubernetes.io/component": "backend"}
    metadata = {"name": f"backend-{uid}", "namespace": "todo-app", "uid": uid, "labels": labels}
    return {"metadata": metadata, "spec": {}, "status": {"conditions": conditions, **status}}


CRASHING = {
    "name": "backend",
    "restartCount": 2,
    "ready": False,
    "image": "it:2",
    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    "lastState": {"terminated": {"exitCode": 3}},
}
PULLING = {
    "name": "backend",
    "image": "it:gone",
    "state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}},
}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    now = [0.0]
    monkeypatch.setattr("ops.release.rollout.time.monotonic", lambda: now[0])

    def advance(seconds: float) -> None:
        now[0] += seconds

    return advance


def rollout(pods: Pods, seconds: float | None = None) -> Rollout:
    return Rollout(cast("Cluster", pods), deployed().contract.services, seconds)


def test_a_new_pod_that_keeps_ending_is_given_up_with_its_last_words() -> None:
    pods = Pods()
    watch = rollout(pods)
    pods.there = [pod("a", containerStatuses=[CRASHING])]
    said = watch.obstacle()
    assert said == "pod backend-a: backend has failed 2x with exit code 3: no such column"


def test_the_next_run_tells_what_one_has_said_whose_log_is_gone() -> None:
    class Gone(Pods):
        def log(self, pod: str, query: Any) -> list[str]:
            if query["previous"]:
                return ["unable to retrieve container logs for containerd://f97"]
            return super().log(pod, query)

    pods = Gone()
    watch = rollout(pods)
    pods.there = [pod("a", containerStatuses=[CRASHING])]
    said = watch.obstacle()
    assert said == "pod backend-a: backend has failed 2x with exit code 3: no such column"


def test_pods_of_before_that_are_ready_or_of_nobody_here_are_not_watched() -> None:
    pods = Pods()
    pods.there = [pod("a", containerStatuses=[CRASHING])]
    watch = rollout(pods)
    stranger = pod("b", containerStatuses=[CRASHING])
    stranger["metadata"]["labels"] = {"app.kubernetes.io/component": "another"}
    pods.there += [stranger, pod("c", ready=True, containerStatuses=[CRASHING])]
    assert watch.obstacle() is None


def test_pods_of_before_make_room_while_they_are_being_deleted() -> None:
    pods = Pods()
    gone = pod("gone", ready=True)
    gone["metadata"]["deletionTimestamp"] = "2026-01-31T09:00:00Z"
    pods.there = [gone, pod("a", ready=True), pod("b", ready=True)]
    watch = rollout(pods)
    pods.there += [pod("new", ready=True)]
    assert not watch.is_making_room()
    pods.there[1]["metadata"]["deletionTimestamp"] = "2026-01-31T09:00:00Z"
    assert watch.is_making_room()
    del pods.there[1]
    assert not watch.is_making_room()


def test_a_pod_that_is_not_ready_is_none_that_answers_on_its_way_out() -> None:
    pods = Pods()
    pods.there = [pod("a")]
    watch = rollout(pods)
    pods.there[0]["metadata"]["deletionTimestamp"] = "2026-01-31T09:00:00Z"
    assert not watch.is_making_room()


def test_an_image_may_be_away_for_a_moment(clock: Callable[[float], None]) -> None:
    pods = Pods()
    watch = rollout(pods)
    pods.there = [pod("a", containerStatuses=[PULLING])]
    assert watch.obstacle() is None
    clock(19)
    assert watch.obstacle() is None
    clock(2)
    assert watch.obstacle() == "pod backend-a: cannot pull it:gone"


def test_why_a_pod_cannot_start_now_is_known_at_once() -> None:
    pods = Pods()
    watch = rollout(pods)
    pods.there = [pod("a", containerStatuses=[PULLING])]
    assert watch.unable() == "pod backend-a: cannot pull it:gone"
    pods.there = [pod("a")]
    assert watch.unable() is None


@pytest.mark.parametrize(("seconds", "deadline"), [(None, 100), (10.0, 10)])
def test_a_pod_that_does_not_get_ready_is_waited_for_so_long_and_no_longer(
    seconds: float | None, deadline: int, clock: Callable[[float], None]
) -> None:
    pods = Pods()
    watch = rollout(pods, seconds)
    pods.there = [pod("a")]
    assert watch.obstacle() is None
    clock(deadline - 1)
    assert watch.obstacle() is None
    clock(2)
    assert watch.obstacle() == "pod backend-a: is starting"


def test_a_cluster_that_does_not_answer_is_for_pulumi_to_tell() -> None:
    pods = Pods()
    watch = rollout(pods)

    def refuse() -> list[dict[str, Any]]:
        raise Failure("The cluster does not answer.")

    pods.pods = refuse
    assert watch.obstacle() is None
