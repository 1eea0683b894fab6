"""The ServiceAccount that pods run as."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.scope import ObjectScope

core = k8s.core.v1


def declare_service_account(
    scope: ObjectScope, annotations: Mapping[str, pulumi.Input[str]]
) -> core.ServiceAccount:
    """Declares the ServiceAccount of the pods, which get no token of it.

    Args:
        scope: Names, labels and options.
        annotations: E.g. the cloud's role that the pods have.
    """
    return core.ServiceAccount(
        f"{scope.name}-account",
        metadata=scope.metadata(annotations=annotations),
        automount_service_account_token=False,
        opts=scope.opts,
    )
