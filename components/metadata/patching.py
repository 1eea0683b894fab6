"""Whose the fields of an object are that is there already."""

from collections.abc import Mapping

PATCH_FORCED: Mapping[str, str] = {"pulumi.com/patchForce": "true"}
"""The annotation with which pulumi-kubernetes takes over an object's declared fields.

With it `pulumi up` takes back a field that somebody has changed by hand. Without it, server-side
apply refuses the whole object after, say, `kubectl scale`, with a field conflict. Fields that the
program does not declare, such as an autoscaler's replicas, stay with whoever set them.
"""
