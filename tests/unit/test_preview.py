"""When `make up` leaves the update out: only where a preview is sure that it would change nothing.

`pulumi` is stood in for by a program that writes events as Pulumi 3.259 and 3.274 do.
"""

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster_objects import preview
from cluster_objects.preview import Plan
from console.failure import Failure
from toolchain import paths
from toolchain.stack import Stack

STACK = "pulumi:pulumi:Stack"
SERVICE = "kubernetes:core/v1:Service"
MASKED = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
"""A secret, as an event has it."""


def state(kind: str, name: str = "it", **more: Any) -> dict[str, Any]:
    """A resource as an event has it, before or after a step."""
    urn = f"urn:pulumi:minikube::todo::{kind}::{name}"
    custom = {"custom": True, "id": f"shop/{name}"} if kind == SERVICE else {"id": ""}
    return {"type": kind, "urn": urn, "inputs": {}, "outputs": {}, "parent": "", **custom, **more}


def step(old: dict[str, Any] | None, new: dict[str, Any] | None, op: str = "same") -> str:
    """The event of a step that is done, one line of the log."""
    known = new or old or {}
    metadata = {"op": op, "urn": known["urn"], "type": known["type"], "old": old, "new": new}
    return json.dumps({"resOutputsEvent": {"metadata": metadata, "planning": True}})


def summary(**changes: Any) -> str:
    about = {"resourceChanges": changes, "isPreview": True, "result": "succeeded"}
    return json.dumps({"summaryEvent": about})


PRELUDE = json.dumps({"sequence": 0, "preludeEvent": {"config": {}}})
DEBUG = json.dumps({"diagnosticEvent": {"message": "registering", "severity": "debug"}})
END = json.dumps({"cancelEvent": {}})
STAYS = state(STACK, outputs={"frontendUrl": "http://10.89.0.2:30000"})
HIDDEN = state(STACK, outputs={"key": {**MASKED, "ciphertext": "[secret]"}})
SAME = [step(STAYS, STAYS), step(state(SERVICE), state(SERVICE))]
NOTHING = [PRELUDE, DEBUG, *SAME, summary(same=2), END]
ONE_MORE = step(None, state(SERVICE, "new"), "create")


def test_a_preview_that_finds_all_as_it_is_finds_nothing() -> None:
    assert preview.plan_of(NOTHING) == Plan(nothing=True, whole=True, steps=())


@pytest.mark.parametrize(
    ("log", "what"),
    [
        ([*SAME, ONE_MORE, summary(same=2, create=1)], "a resource that is new"),
        ([*SAME, step(state(SERVICE), None, "delete"), summary(same=2, delete=1)], "one that goes"),
        ([*SAME, summary(same=1, update=1)], "a step that only the summary has"),
        (
            [*SAME, step(state(SERVICE), state(SERVICE, id="2")), summary(same=2)],
            "another identity",
        ),
        (
            [*SAME, step(state(SERVICE), state(SERVICE, protect=True)), summary(same=2)],
            "a protection",
        ),
        (
            [*SAME, step(state(SERVICE), state(SERVICE, parent="other")), summary(same=2)],
            "another parent",
        ),
        (
            [*SAME, step(STAYS, state(STACK, outputs={"frontendUrl": "else"})), summary(same=2)],
            "another output",
        ),
        ([*SAME, step(HIDDEN, HIDDEN), summary(same=2)], "an output whose value nobody tells"),
    ],
)
def test_what_only_the_state_would_have_anew_is_a_change_too(log: list[str], what: str) -> None:
    assert not preview.plan_of([PRELUDE, *log, END]).nothing, what


@pytest.mark.parametrize(
    ("log", "what"),
    [
        ([], "a Pulumi that writes none"),
        (NOTHING[:-2], "one that was cut off"),
        ([*NOTHING, '{"resOutputsEv'], "half a line"),
        ([*NOTHING, "[]"], "no event"),
        ([summary(same=2), END], "a Pulumi that tells only of what changes"),
        ([*SAME, summary(), END], "a summary that says nothing"),
        ([*SAME, summary(same="2"), END], "a summary in words"),
    ],
)
def test_a_log_that_is_not_understood_is_sure_of_nothing(log: list[str], what: str) -> None:
    assert not preview.plan_of(log).nothing, what


@pytest.mark.parametrize(
    ("log", "what"),
    [
        ([], "a Pulumi that writes none"),
        (NOTHING[:-2], "one that was cut off"),
        ([*NOTHING, '{"resOutputsEv'], "half a line"),
        ([*SAME, summary(), END], "a summary that says nothing"),
        ([*SAME, summary(same=2, delete=1), END], "a step that only the summary has"),
    ],
)
def test_a_log_that_is_not_understood_has_not_all_steps(log: list[str], what: str) -> None:
    assert not preview.plan_of(log).whole, what


def test_what_is_only_looked_at_is_no_step() -> None:
    looks = [step(state(SERVICE), state(SERVICE), op) for op in ("refresh", "read")]
    found = preview.plan_of([*SAME, *looks, ONE_MORE, summary(same=2, create=1, read=1), END])
    assert [it.op for it in found.steps] == ["create"]
    assert found.whole


def test_the_events_are_read_while_pulumi_writes_and_are_kept_nowhere() -> None:
    long = json.dumps({"diagnosticEvent": {"message": "x" * 1000}}) + "\n"
    write = "import sys; open(sys.argv[1], 'w').write(sys.argv[2] * 1000 + sys.argv[3])"
    with preview.reading() as (log, plan):
        assert stat.S_ISFIFO(log.stat().st_mode)
        assert not log.stat().st_mode & 0o077
        command = [sys.executable, "-c", write, str(log), long, "\n".join(NOTHING)]
        subprocess.run(command, check=True, timeout=600)
    assert plan.result().nothing
    assert not log.parent.exists()


def test_a_plan_has_what_changes_with_its_images_and_is_read_as_it_was_written(
    tmp_path: Path,
) -> None:
    def running(image: str) -> dict[str, Any]:
        pod = {"initContainers": [{"image": image}], "containers": [{"image": image}]}
        return {"metadata": {"name": "backend"}, "spec": {"template": {"spec": pod}}}

    kind = "kubernetes:apps/v1:Deployment"
    old = state(kind, inputs=running("backend:1"))
    new = state(kind, inputs=running("backend:2"))
    gone = state("kubernetes:core/v1:Namespace", "shop", retainOnDelete=True)
    total = summary(same=2, update=1, delete=1)
    log = [*SAME, step(old, new, "update"), step(gone, None, "delete"), total, END]
    plan = preview.plan_of(log)
    assert plan.whole
    changed, deleted = plan.steps
    assert (changed.op, changed.kind, changed.name) == ("update", "Deployment", "backend")
    assert (changed.images_before, changed.images_after) == (("backend:1",) * 2, ("backend:2",) * 2)
    assert changed.changes_images
    assert not changed.kept
    assert (deleted.op, deleted.name, deleted.kept) == ("delete", "shop", True)
    plan.write(tmp_path / "plan.json")
    assert Plan.read(tmp_path / "plan.json") == plan


Pulumi = Callable[..., list[str]]

RELEASE = """#!/bin/sh
echo "$*" >> {folder}/calls
for it in "$@"; do [ "$last" != --plan ] || cp "$it" {folder}/plan; last="$it"; done
exit "$(cat {folder}/code)"
"""
"""Stands in for `python -m ops release`, and keeps the plan that it was given."""
PROGRAM = """#!/bin/sh
echo "$*" >> {folder}/calls
case "$*" in preview*)
  for it in "$@"; do case "$it" in --event-log=*) cat {folder}/events > "${{it#*=}}";; esac; done
  exit {code};;
esac
"""


@pytest.fixture
def pulumi(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Pulumi:
    """Puts a `pulumi` on PATH, runs an update of a stack, and returns what it was asked to do."""
    programs, venv = tmp_path / ".local" / "bin", tmp_path / ".venv"
    programs.mkdir(parents=True)
    (venv / "bin").mkdir(parents=True)
    python = venv / "bin" / "python"
    python.write_text(RELEASE.format(folder=tmp_path))
    python.chmod(0o755)
    monkeypatch.setattr(paths, "VENV", venv)
    for name, path in {"PROJECT": tmp_path, "LOCAL": tmp_path / ".local", "BIN": programs}.items():
        monkeypatch.setattr(paths, name, path)

    def update(
        log: list[str], *, code: int = 0, release_code: int = 0, **options: Any
    ) -> list[str]:
        (tmp_path / "events").write_text("".join(f"{line}\n" for line in log))
        (programs / "pulumi").write_text(PROGRAM.format(folder=tmp_path, code=code))
        (programs / "pulumi").chmod(0o755)
        (tmp_path / "calls").write_text("")
        (tmp_path / "code").write_text(str(release_code))
        try:
            Stack("minikube", has_file=False).up(**options)
        finally:
            calls = (tmp_path / "calls").read_text().splitlines()
        return calls

    return update


def test_there_is_no_update_where_nothing_would_change(pulumi: Pulumi) -> None:
    [only] = pulumi(NOTHING)
    assert only.startswith("preview ")
    assert "--policy-pack policy" in only


@pytest.mark.parametrize("deployed", [None, {"operations": {"version": 1}}])
def test_what_is_not_ready_is_looked_after_though_nothing_would_change(
    deployed: Any, pulumi: Pulumi, capsys: pytest.CaptureFixture[str]
) -> None:
    _, second = pulumi(NOTHING, unready=["StatefulSet postgres"], deployed=deployed)
    assert second.startswith("up --yes --skip-preview ")
    assert "--refresh" not in second
    [why] = capsys.readouterr().out.splitlines()
    assert "not ready: StatefulSet postgres" in why


def test_an_update_follows_its_preview_with_the_rules(pulumi: Pulumi) -> None:
    first, second = pulumi([*SAME, ONE_MORE, summary(same=2, create=1), END])
    assert first.startswith("preview ")
    assert "--policy-pack policy" in first
    assert second.startswith("up --yes --skip-preview ")
    assert "--policy-pack policy" in second


def test_a_preview_that_says_nothing_is_followed_by_an_update(pulumi: Pulumi) -> None:
    assert len(pulumi([])) == 2


def test_a_broken_rule_ends_with_nothing_changed(pulumi: Pulumi, tmp_path: Path) -> None:
    with pytest.raises(Failure, match="run `make up` again"):
        pulumi([*SAME, ONE_MORE, summary(same=2, create=1), END], code=1)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [it.split()[0] for it in calls] == ["preview"]


def test_what_was_lost_is_looked_for_and_made_again_without_asking(pulumi: Pulumi) -> None:
    [only] = pulumi(NOTHING, refresh=True)
    assert only.startswith("up --yes --refresh ")
    assert "--policy-pack policy" in only


DEPLOYED = {"operations": {"version": 1}}
CHANGES = [*SAME, ONE_MORE, summary(same=2, create=1), END]


def test_the_update_of_what_is_deployed_is_a_release_that_knows_what_the_preview_found(
    pulumi: Pulumi, tmp_path: Path
) -> None:
    first, second = pulumi(CHANGES, deployed=DEPLOYED, release=["--yes"])
    assert first.startswith("preview ")
    assert f"-m ops --project {tmp_path} --stack minikube release --plan " in second
    assert second.endswith(" --yes")
    [made] = Plan.read(tmp_path / "plan").steps
    assert (made.op, made.name) == ("create", "new")


def test_a_release_needs_no_preview_before_it_where_something_was_lost(pulumi: Pulumi) -> None:
    [only] = pulumi(NOTHING, refresh=True, deployed=DEPLOYED)
    assert only.endswith(" release --refresh")


def test_nothing_is_released_where_nothing_would_change(pulumi: Pulumi) -> None:
    [only] = pulumi(NOTHING, deployed=DEPLOYED)
    assert only.startswith("preview ")


def test_a_release_that_failed_has_the_last_word(pulumi: Pulumi) -> None:
    with pytest.raises(SystemExit, match="4"):
        pulumi(CHANGES, deployed=DEPLOYED, release_code=4)


class Told:
    """Stands in for a process that ends after Ctrl-C was pressed twice."""

    def __init__(self, code: int) -> None:
        self.code, self.pressed = code, 2

    def wait(self) -> int:
        if not self.pressed:
            return self.code
        self.pressed -= 1
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("code", "ends"), [(130, SystemExit), (1, KeyboardInterrupt), (0, KeyboardInterrupt)]
)
@pytest.mark.usefixtures("pulumi")
def test_a_release_that_says_how_it_was_interrupted_has_the_last_word(
    code: int, ends: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told(code)
    monkeypatch.setattr("toolchain.stack.subprocess.Popen", lambda *_, **__: told)
    with pytest.raises(ends) as ended:
        Stack("minikube", has_file=False).up(refresh=True, deployed=DEPLOYED)
    assert told.pressed == 0
    if isinstance(ended.value, SystemExit):
        assert ended.value.code == 130
