"""What Pulumi does not wait for."""

from collections.abc import Mapping

NOT_AWAITED: Mapping[str, str] = {"pulumi.com/skipAwait": "true"}
"""The annotation with which pulumi-kubernetes takes an object for ready once it is made.

For objects whose readiness says nothing that a Deployment's or StatefulSet's does not: a Service is
awaited until it has endpoints, and then for ten seconds more.
"""

AWAITED_READY: Mapping[str, str] = {"pulumi.com/waitFor": "condition=Ready"}
"""The annotation with which pulumi-kubernetes waits for the condition that controllers set.

For objects of a kind that it does not know.
"""
