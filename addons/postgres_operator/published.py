"""What the operator's makers publish: its kinds, its rights, its webhooks, what it measures.

By file, since the whole of it, their release's manifest, has a namespace and a Deployment of its
own in it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import pulumi
import pulumi_kubernetes as k8s

from addons.definitions import declare_definition_files
from components.cluster.remote_objects import as_transforms
from components.metadata.scope import ObjectScope

KINDS = (
    "backups",
    "clusterimagecatalogs",
    "clusters",
    "databaseroles",
    "databases",
    "failoverquorums",
    "imagecatalogs",
    "poolers",
    "publications",
    "scheduledbackups",
    "subscriptions",
)
"""Of CloudNativePG 1.30; the operator does not start while one is missing."""
PREFIX = "cnpg-"
"""What the operator expects its objects' names to begin with."""
ROLE = f"{PREFIX}manager"
QUERIES = f"{PREFIX}default-monitoring"
"""The ConfigMap with what every instance measures; the operator copies it to each Cluster."""
SERVICE = f"{PREFIX}webhook-service"
_REST = ("rbac/role.yaml", "webhook/manifests.yaml", "manager/default-monitoring.yaml")


def declare_kinds(
    scope: ObjectScope, name: str, sources: str, managed: pulumi.ResourceOptions | None
) -> k8s.yaml.v2.ConfigGroup:
    """Declares the kinds, which outlive the part."""
    files = [f"{sources}/crd/bases/postgresql.cnpg.io_{kind}.yaml" for kind in KINDS]
    return declare_definition_files(scope, name, files, managed)


def declare_rest(
    scope: ObjectScope, name: str, sources: str, managed: pulumi.ResourceOptions | None
) -> k8s.yaml.v2.ConfigGroup:
    """Declares the operator's ClusterRole, its webhooks and its ConfigMap.

    They are named, and put into the part's namespace, as the operator looks for them.
    """
    # Ownership last: it is to see the names.
    transforms = [_named(str(scope.namespace)), *as_transforms(managed)]
    return k8s.yaml.v2.ConfigGroup(
        name,
        files=[f"{sources}/{file}" for file in _REST],
        opts=pulumi.ResourceOptions.merge(
            scope.opts, pulumi.ResourceOptions(transforms=transforms)
        ),
    )


def _named(namespace: str) -> Callable[..., pulumi.ResourceTransformResult | None]:
    def name(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        given = cast("Mapping[str, Any]", args.props)
        metadata: Mapping[str, Any] = given.get("metadata") or {}
        own = metadata.get("name")
        if not own or str(own).startswith(PREFIX):
            return None
        named = {**metadata, "name": f"{PREFIX}{own}"}
        if args.type_ == "kubernetes:core/v1:ConfigMap":
            named["namespace"] = namespace
        props = {**given, "metadata": named}
        if hooks := given.get("webhooks"):
            props["webhooks"] = _asked_at(hooks, namespace)
        return pulumi.ResourceTransformResult(props=props, opts=args.opts)

    return name


def _asked_at(hooks: Sequence[Mapping[str, Any]], namespace: str) -> list[dict[str, Any]]:
    """Returns webhooks that are asked at the operator's own Service."""
    return [
        {
            **hook,
            "clientConfig": {
                "service": {
                    **hook["clientConfig"]["service"],
                    "name": SERVICE,
                    "namespace": namespace,
                }
            },
        }
        for hook in hooks
    ]
