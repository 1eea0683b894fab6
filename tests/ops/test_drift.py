"""Pulumi's preview becomes one line a difference, without secrets."""

from typing import Any

from ops.drifted import differences, value_at


def step(op: str, kind: str, field: str | None, old: Any, new: Any) -> dict[str, Any]:
    def state(spec: Any) -> dict[str, Any]:
        return {"outputs": {"kind": kind, "metadata": {"name": "backend"}, "spec": spec}}

    return {
        "op": op,
        "urn": f"urn:pulumi:dev::todo::kubernetes:apps/v1:{kind}::backend-deployment",
        "oldState": state(old),
        "newState": state(new) if op != "delete" else None,
        "detailedDiff": {field: {"kind": "update"}} if field else None,
    }


def test_a_changed_field_shows_both_values() -> None:
    preview = {
        "steps": [step("update", "Deployment", "spec.replicas", {"replicas": 2}, {"replicas": 3})]
    }
    (found,) = differences(preview)
    assert str(found) == "Deployment backend: spec.replicas is 3, Pulumi has 2"


def test_a_deleted_object_is_gone() -> None:
    (found,) = differences({"steps": [step("delete", "Service", None, {}, None)]})
    assert str(found) == "Service backend: is gone"


def test_a_secret_is_never_shown() -> None:
    change = step("update", "Secret", "spec.key", {"key": "hunter2"}, {"key": "hunter3"})
    (found,) = differences({"steps": [change]})
    assert "hunter" not in str(found)


def test_unchanged_steps_are_left_out() -> None:
    assert differences({"steps": [step("refresh", "Deployment", None, {}, {})]}) == []


def test_paths_with_quotes_and_indices() -> None:
    tree = {"metadata": {"labels": {"a.b/c": "x"}}, "ports": [{"port": 80}]}
    assert value_at(tree, 'metadata.labels["a.b/c"]') == "x"
    assert value_at(tree, "ports[0].port") == 80
    assert value_at(tree, "ports[7].port") is None
    assert value_at(tree, "metadata.name.first") is None
