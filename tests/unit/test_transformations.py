"""What __main__.py adds to every Kubernetes object."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest

from components.deletion import bound_deletion
from components.ownership import own_fields


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
    result = own_fields(_args(props={"metadata": metadata, "spec": 1}))
    assert result is not None
    assert result.props["spec"] == 1
    assert result.props["metadata"].name == "frontend"
    assert result.props["metadata"].annotations == {
        **(given or {}),
        "pulumi.com/patchForce": "true",
    }


def test_other_resources_are_left_alone() -> None:
    assert bound_deletion(_args("docker-build:index:Image")) is None
    assert own_fields(_args("docker-build:index:Image")) is None
