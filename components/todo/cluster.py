"""The cluster of a stack, as its settings name it."""

from typing import Final

import pulumi

from cluster_objects.stack_mark import STACK_MARK
from components.cluster.client import ClusterApi
from components.cluster.managed import managed
from components.cluster.mark import Mark
from components.cluster.remedies import Remedies
from components.todo.settings.config import StackConfig
from components.todo.settings.settings import ClusterSettings

REMEDIES: Final = Remedies(
    correct_cluster="correct todo:settings.cluster",
    choose_namespace="choose another todo:settings.namespace.name",
    adopt_namespace="set todo:settings.namespace.adopt: true",
    leave_namespace="leave todo:settings.namespace.adopt out",
    without_kind={
        "ServiceMonitor": "set todo:settings.metrics.mode to annotations or none",
        "PodMonitor": "set todo:settings.metrics.mode to annotations or none",
        "Cluster": "run `make addons` with its part postgresOperator, or set "
        "todo:settings.database.mode to inCluster",
        "HTTPRoute": "set another exposure.mode than gateway in todo:settings.frontend and "
        "todo:settings.backend",
        "ExternalSecret": "set todo:settings.secrets.mode to generated (with "
        "todo:settings.database.mode inCluster)",
    },
)


def cluster_options(config: StackConfig) -> pulumi.ResourceOptions:
    """Returns options that put all into the stack's cluster, as the stack's own."""
    cluster, namespace = config.settings.cluster, config.settings.namespace
    return managed(
        mark=Mark(owner=config.identity, key=STACK_MARK),
        kubeconfig=cluster.kubeconfig,
        context=cluster.context,
        adopted=[namespace.name] if namespace.adopt else [],
        remedies=REMEDIES,
    )


def cluster_api(cluster: ClusterSettings) -> ClusterApi:
    """Returns requests to the stack's cluster, for what components have to look at themselves."""
    return ClusterApi(kubeconfig=cluster.kubeconfig, context=cluster.context, remedies=REMEDIES)
