"""The objects of a chart are marked and guarded as those that the program declares."""

from collections.abc import Mapping
from typing import Any, cast

import pulumi
import pytest

from components.cluster.deletion import bound_deletion
from components.cluster.guard import Guard, Live
from components.cluster.mark import Mark
from components.cluster.ownership import register_ownership
from components.cluster.remote_objects import as_transforms
from tests.recording import record


def transformed(type_: str, props: Mapping[str, Any]) -> list[pulumi.ResourceTransformResult]:
    """What the transforms make of an object, each of what came before it."""
    results: list[pulumi.ResourceTransformResult] = []

    def program() -> None:
        guard = Guard(Mark(owner="acme/shop/dev", key="shop/stack"), cast("Live", None))
        given = pulumi.ResourceOptions(transformations=[bound_deletion, register_ownership(guard)])
        args = pulumi.ResourceTransformArgs(
            custom=True, type_=type_, name="it", props={**props}, opts=pulumi.ResourceOptions()
        )
        for transform in as_transforms(given):
            result = transform(args)
            assert not hasattr(result, "__await__")
            if isinstance(result, pulumi.ResourceTransformResult):
                results.append(result)

    record(program)
    return results


def props_of(result: pulumi.ResourceTransformResult) -> dict[str, Any]:
    return cast("dict[str, Any]", result.props)


def test_an_object_of_a_chart_is_marked_guarded_and_not_awaited_for_ever() -> None:
    service = {"kind": "Service", "metadata": {"name": "web", "annotations": {"a": "b"}}}
    bounded, owned = transformed("kubernetes:core/v1:Service", service)
    assert bounded.opts.custom_timeouts is not None
    annotations = props_of(owned)["metadata"]["annotations"]
    assert annotations["shop/stack"] == "acme/shop/dev"
    assert annotations["a"] == "b"
    hooks = owned.opts.hooks
    assert isinstance(hooks, pulumi.ResourceHookBinding)
    assert hooks.before_create
    assert hooks.before_update


def test_an_object_of_a_kind_of_the_charts_own_is_treated_alike() -> None:
    pool = {"kind": "Pool", "apiVersion": "example.com/v1", "metadata": {"name": "web"}}
    *_, owned = transformed("kubernetes:example.com/v1:Pool", pool)
    assert props_of(owned)["metadata"]["annotations"]["shop/stack"] == "acme/shop/dev"


def test_what_is_no_object_stays_as_it_is() -> None:
    assert transformed("random:index:RandomId", {}) == []


@pytest.mark.parametrize("opts", [None, pulumi.ResourceOptions()])
def test_without_transformations_there_is_nothing_to_do(
    opts: pulumi.ResourceOptions | None,
) -> None:
    assert as_transforms(opts) == []
