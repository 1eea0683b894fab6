"""What a ServiceAccount may read in the whole cluster."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi_kubernetes as k8s

from components.metadata.labels import object_name
from components.metadata.scope import ObjectScope

rbac = k8s.rbac.v1


@dataclass(frozen=True, kw_only=True)
class Readable:
    """Kinds of one API group."""

    group: str
    """Empty: Kubernetes' core."""
    resources: Sequence[str]
    verbs: Sequence[str] = ("list", "watch")


def declare_cluster_reader(
    scope: ObjectScope, account: k8s.core.v1.ServiceAccount, readable: Sequence[Readable]
) -> rbac.ClusterRoleBinding:
    """Declares a ClusterRole, and that an account of the part's namespace has it.

    Args:
        scope: Names and options; both objects are called as its others are.
        account: Who may read.
        readable: What.
    """
    metadata = k8s.meta.v1.ObjectMetaArgs(name=scope.object_name, labels=scope.labels)
    role = rbac.ClusterRole(
        f"{scope.name}-role",
        metadata=metadata,
        rules=[
            rbac.PolicyRuleArgs(api_groups=[it.group], resources=[*it.resources], verbs=[*it.verbs])
            for it in readable
        ],
        opts=scope.opts,
    )
    return rbac.ClusterRoleBinding(
        f"{scope.name}-role-binding",
        metadata=metadata,
        role_ref=rbac.RoleRefArgs(
            api_group="rbac.authorization.k8s.io", kind="ClusterRole", name=object_name(role)
        ),
        subjects=[
            rbac.SubjectArgs(
                kind="ServiceAccount", name=object_name(account), namespace=scope.namespace
            )
        ],
        opts=scope.opts,
    )
