"""What Pulumi finds becomes one line a difference, without secrets."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer
from pulumi.automation.events import (
    DiffKind,
    OpType,
    PropertyDiff,
    StepEventMetadata,
    StepEventStateMetadata,
)

from console.failure import ExitCode, Failure
from ops.commands import drift as command
from ops.context import Target
from ops.drift import Difference, differences, planned, value_at
from tests.ops.stacks import deployed


def step(op: OpType, kind: str, field: str | None, old: Any, new: Any) -> StepEventMetadata:
    type_ = f"kubernetes:apps/v1:{kind}"
    urn = f"urn:pulumi:dev::todo::{type_}::backend-deployment"

    def state(spec: Any) -> StepEventStateMetadata:
        content = {"kind": kind, "metadata": {"name": "backend"}, "spec": spec}
        return StepEventStateMetadata(type_, urn, "", "", "", inputs=content, outputs=content)

    return StepEventMetadata(
        op=op,
        urn=urn,
        type=type_,
        provider="",
        old=state(old),
        new=state(new) if op != OpType.DELETE else None,
        detailed_diff={field: PropertyDiff(DiffKind.UPDATE, False)} if field else None,
    )


SCALED = ("Deployment", "spec.replicas", {"replicas": 2}, {"replicas": 3})


def test_a_changed_field_shows_both_values() -> None:
    (found,) = differences([step(OpType.UPDATE, *SCALED)])
    assert str(found) == "Deployment backend: spec.replicas is 3, Pulumi has 2"


def test_a_deleted_object_is_gone() -> None:
    (found,) = differences([step(OpType.DELETE, "Service", None, {}, None)])
    assert str(found) == "Service backend: is gone"


def test_a_secret_is_never_shown() -> None:
    change = step(OpType.UPDATE, "Secret", "spec.key", {"key": "hunter2"}, {"key": "hunter3"})
    for found in (*differences([change]), *planned([change])):
        assert "hunter" not in str(found)


def test_unchanged_steps_are_left_out() -> None:
    assert differences([step(OpType.REFRESH, "Deployment", None, {}, {})]) == []
    assert planned([step(OpType.SAME, "Deployment", None, {}, {})]) == []


def test_what_the_program_would_change_is_told_from_its_side() -> None:
    steps = [
        step(OpType.UPDATE, *SCALED),
        step(OpType.CREATE, "Service", None, {}, {}),
        step(OpType.DELETE, "Service", None, {}, {}),
    ]
    assert [str(it) for it in planned(steps)] == [
        "Deployment backend-deployment: spec.replicas is 2, Pulumi has 3",
        "Service backend-deployment: is missing",
        "Service backend-deployment: is left over",
    ]


def test_paths_with_quotes_and_indices() -> None:
    tree = {"metadata": {"labels": {"a.b/c": "x"}}, "ports": [{"port": 80}]}
    assert value_at(tree, 'metadata.labels["a.b/c"]') == "x"
    assert value_at(tree, "ports[0].port") == 80
    assert value_at(tree, "ports[7].port") is None
    assert value_at(tree, "metadata.name.first") is None


@pytest.fixture
def context() -> typer.Context:
    to = Target(Path(), None)
    vars(to).update(stack=deployed(), cluster=None)
    return cast("typer.Context", SimpleNamespace(obj=to))


def test_who_could_not_look_is_told_by_a_code_that_no_verdict_has(
    monkeypatch: pytest.MonkeyPatch, context: typer.Context
) -> None:
    def find(_: object, *, full: bool) -> list[Difference]:
        del full
        raise Failure("`pulumi refresh` failed: no such host; correct that, then run this again.")

    monkeypatch.setattr(command, "find_drift", find)
    with pytest.raises(Failure, match="no such host") as failed:
        command.drift(context, record=True)
    assert failed.value.code == ExitCode.UNREACHABLE


def test_what_was_found_is_shown_also_where_it_cannot_be_noted(
    monkeypatch: pytest.MonkeyPatch,
    context: typer.Context,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = Difference("Deployment", "backend", "spec.replicas", "2", "3")
    monkeypatch.setattr(command, "find_drift", lambda _, full: [found])

    def note(*_: object, found: bool) -> None:
        raise Failure(f"may not patch ({found})")

    monkeypatch.setattr(command, "note_drift", note)
    with pytest.raises(Failure, match="may not patch") as failed:
        command.drift(context, record=True)
    assert failed.value.code == ExitCode.FAILED
    assert "DRIFT: 1 difference;" in capsys.readouterr().out
