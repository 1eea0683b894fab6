"""What __main__.py adds to every Kubernetes object."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest

from components.cluster.deletion import bound_deletion
from components.cluster.ownership import own_fields
from tests.programs import run_program, stack_settings


def _args(
    type_: str = "kubernetes:core/v1:Service",
    props: dict[str, Any] | None = None,
    opts: pulumi.ResourceOptions | None = None,
) -> pulumi.ResourceTransformationArgs:
    return pulumi.ResourceTransformationArgs(
        resource=object(),  # pyright: ignore[reportArgumentType]
        type_=type_,
        name="any",
        props=props or {},
        opts=opts or pulumi.ResourceOptions(),
    )


def test_deletions_are_bounded_where_no_time_is_set() -> None:
    result = bound_deletion(_args())
    assert result is not None
    assert result.opts.custom_timeouts is not None
    assert result.opts.custom_timeouts.delete == "1m"
    own = pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(delete="4m"))
    assert bound_deletion(_args(opts=own)) is None


@pytest.mark.parametrize("given", [None, {"a": "b"}])
def test_a_field_changed_by_hand_is_taken_back(given: dict[str, str] | None) -> None:
    metadata = k8s.meta.v1.ObjectMetaArgs(name="frontend", annotations=given)
    own: Any = own_fields(metadata, {})
    assert own.name == "frontend"
    assert own.annotations == {**(given or {}), "pulumi.com/patchForce": "true"}
    assert metadata.annotations == given


def test_all_other_metadata_stays() -> None:
    fields = {"generate_name": "x-", "finalizers": ["example.com/keep"], "labels": {"a": "b"}}
    own: Any = own_fields(k8s.meta.v1.ObjectMetaArgs(**fields), {"by": "us"})
    assert {name: getattr(own, name) for name in fields} == fields
    assert own.annotations["by"] == "us"


@pytest.mark.parametrize("metadata", [None, {"name": "x"}, {"annotations": {"a": "b"}}])
def test_objects_whose_metadata_is_no_arguments_are_marked_as_well(metadata: Any) -> None:
    own: Any = own_fields(metadata, {"by": "us"})
    expected = {"by": "us", "pulumi.com/patchForce": "true"}
    given = (metadata or {}).get("annotations", {})
    assert own == {**(metadata or {}), "annotations": {**given, **expected}}


@pytest.mark.parametrize("stack", ["minikube", "cloud"])
def test_every_object_is_marked_and_guarded_and_no_pod_is(stack: str) -> None:
    recording = run_program(stack_settings(stack), stack=stack)
    objects = [r for r in recording.resources if r.type.startswith("kubernetes:")]
    assert objects
    for resource in objects:
        annotations = resource.inputs["metadata"]["annotations"]
        assert annotations["todo-kubernetes/stack"].split("/")[2] == stack
        assert {"ownership", "ownership by now"} <= set(resource.hooks)
        # A mark in a pod's or a claim's template would roll the pods, or replace the StatefulSet.
        assert "todo-kubernetes/stack" not in str(resource.inputs.get("spec"))


def test_other_resources_are_left_alone() -> None:
    assert bound_deletion(_args("docker-build:index:Image")) is None
    recording = run_program(stack_settings("minikube"))
    assert {r.hooks for r in recording.of("Image")} == {()}
