"""What a program adds to every Kubernetes object."""

from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest

from components.app.app_deployment import AppDeployment, AppDeploymentArgs
from components.cluster import ownership
from components.cluster.deletion import bound_deletion
from components.cluster.managed import managed
from components.cluster.mark import Mark
from tests.programs import run_program, stack_settings
from tests.recording import Recorded, record


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


META: dict[str, Any] = {
    "finalizers": ["example.com/keep"],
    "labels": {"a": "b"},
    "name": "frontend",
    "namespace": "shop",
}
OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "parent", "uid": "1"}


def service(metadata: Callable[[], Any]) -> Recorded:
    """A Service with what this returns as metadata, in a program that owns its objects."""

    def program() -> None:
        opts = managed(mark=Mark(owner="me"))
        k8s.core.v1.Service("frontend", metadata=metadata(), opts=opts)

    return record(program).one("Service")


@pytest.mark.parametrize(
    "metadata",
    [
        lambda: META,
        lambda: k8s.meta.v1.ObjectMetaArgs(**META),
        lambda: pulumi.Output.from_input(META),
        lambda: pulumi.Output.from_input(k8s.meta.v1.ObjectMetaArgs(**META)),
        lambda: {**META, "labels": pulumi.Output.from_input({"a": "b"})},
    ],
    ids=["a mapping", "arguments", "an output", "an output of arguments", "with an output"],
)
def test_all_other_metadata_stays(metadata: Callable[[], Any]) -> None:
    inputs = service(metadata).inputs["metadata"]
    assert inputs.pop("annotations")["kubernetes-app-components/stack"] == "me"
    assert inputs == META


@pytest.mark.parametrize("metadata", [None, {"generateName": "x-", "ownerReferences": [OWNER]}])
def test_a_generated_name_and_owners_stay(metadata: dict[str, Any] | None) -> None:
    inputs = service(lambda: metadata).inputs["metadata"]
    assert inputs.pop("annotations")["kubernetes-app-components/stack"] == "me"
    assert inputs == (metadata or {})
    owners = [k8s.meta.v1.OwnerReferenceArgs(api_version="v1", kind="Pod", name="p", uid="1")]
    given = k8s.meta.v1.ObjectMetaArgs(generate_name="x-", owner_references=owners)
    inputs = service(lambda: given).inputs["metadata"]
    assert inputs["generateName"] == "x-"
    (owner,) = inputs["ownerReferences"]
    assert owner == {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "1"}


@pytest.mark.parametrize("wrap", [dict, pulumi.Output.from_input])
def test_annotations_are_added_to_those_of_the_object(wrap: Callable[[Any], Any]) -> None:
    inputs = service(lambda: {"annotations": wrap({"a": "b"})}).inputs["metadata"]
    expected = {"a": "b", "kubernetes-app-components/stack": "me"}
    assert inputs["annotations"].items() >= expected.items()


def test_what_is_the_metadata_of_several_objects_stays_as_it_is() -> None:
    metadata = k8s.meta.v1.ObjectMetaArgs(name="x", annotations={"a": "b"})
    service(lambda: metadata)
    assert metadata.annotations == {"a": "b"}


@pytest.mark.parametrize("by_provider", [False, True])
def test_a_field_changed_by_hand_is_taken_back(
    monkeypatch: pytest.MonkeyPatch, by_provider: bool
) -> None:
    monkeypatch.setattr(ownership, "forces_patches", lambda: by_provider)
    annotations = service(dict).inputs["metadata"]["annotations"]
    force = annotations.get("pulumi.com/patchForce")
    assert force == (None if by_provider else "true")


def test_one_call_serves_all_components_of_a_program() -> None:
    def program() -> None:
        opts = managed("here", mark=Mark(owner="me"), context="it")
        for name in ("red", "blue"):
            args = AppDeploymentArgs(image="shop:1", namespace="x", port=80)
            AppDeployment(name, args, opts)

    recording = record(program)
    objects = [r for r in recording.resources if r.type.startswith("kubernetes:")]
    assert {r.name.partition("-")[0] for r in objects} == {"red", "blue"}
    for resource in objects:
        assert "pulumi:providers:kubernetes::here" in resource.provider
        assert resource.inputs["metadata"]["annotations"]["kubernetes-app-components/stack"] == "me"
        assert "ownership" in resource.hooks
        assert resource.timeouts["delete"]


def test_what_is_not_an_object_of_the_programs_own_is_left_alone() -> None:
    def program() -> None:
        opts = managed(mark=Mark(owner="me"))
        k8s.core.v1.NamespacePatch("theirs", metadata={"name": "kube-system"}, opts=opts)
        k8s.helm.v3.Release("chart", chart="nginx", opts=opts)
        k8s.core.v1.Service.get("found", "kube-system/kube-dns", opts=opts)

    recording = record(program)
    patch = recording.one("Namespace").inputs["metadata"]
    assert patch == {"name": "kube-system"}
    assert "metadata" not in recording.one("Release").inputs
    assert {r.hooks for r in recording.resources} == {()}


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
