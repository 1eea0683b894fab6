"""The cluster of the add-ons, as the settings name it."""

from typing import Final

import pulumi

from addons.settings.config import AddonsConfig
from cluster_objects.stack_mark import STACK_MARK
from components.cluster.client import ClusterApi
from components.cluster.managed import managed
from components.cluster.mark import Mark
from components.cluster.remedies import Remedies

REMEDIES: Final = Remedies(
    correct_cluster="correct todo-addons:settings.cluster",
    choose_namespace="if the cluster has this add-on from elsewhere, leave the part's block out of "
    "todo-addons:settings",
    adopt_namespace=None,
    present={
        "CustomResourceDefinition": "if whoever made the cluster has brought it, say so with "
        "gateway.definitions.gatewayApi: present (or .envoyGateway), or leave the part's block out "
        "of todo-addons:settings"
    },
    without_kind={
        "HTTPRoute": "leave gateway.definitions.gatewayApi out of todo-addons:settings, so that it "
        "is installed",
        "Certificate": "set gateway.certificate.mode to another in todo-addons:settings",
    },
)


def cluster_options(config: AddonsConfig) -> pulumi.ResourceOptions:
    """Returns options that put all into the stack's cluster, as the stack's own."""
    cluster = config.settings.cluster
    return managed(
        mark=Mark(owner=config.identity, key=STACK_MARK),
        kubeconfig=cluster.kubeconfig,
        context=cluster.context,
        remedies=REMEDIES,
    )


def cluster_api(config: AddonsConfig) -> ClusterApi:
    """Returns requests to the stack's cluster, for what parts have to look at themselves."""
    cluster = config.settings.cluster
    return ClusterApi(kubeconfig=cluster.kubeconfig, context=cluster.context, remedies=REMEDIES)
