"""What Pulumi finds becomes one line a difference, without secrets."""

from typing import Any

from pulumi.automation.events import (
    DiffKind,
    OpType,
    PropertyDiff,
    StepEventMetadata,
    StepEventStateMetadata,
)

from ops.drift import differences, planned, value_at


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
