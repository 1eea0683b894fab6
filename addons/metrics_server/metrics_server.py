"""metrics-server, by its official chart."""

from dataclasses import dataclass

import pulumi

from addons.chart import common_labels, declare_chart
from addons.metrics_server.settings import MetricsServerSettings
from addons.namespace import declare_part_namespace
from components.network.api_server import API_SERVER
from components.network.policies import (
    ANYWHERE,
    anywhere,
    declare_egress_policy,
    declare_ingress_policy,
)
from components.pod.requirements import as_requirements
from components.values.image_reference import name_and_tag

_PORT = 10250
"""Where it serves the metrics API, as the chart has it, and where kubelets serve theirs."""


@dataclass(frozen=True, kw_only=True)
class MetricsServerArgs:
    """Arguments of MetricsServer."""

    settings: MetricsServerSettings


class MetricsServer(pulumi.ComponentResource):
    """metrics-server in a namespace of its own: what `kubectl top` and autoscalers ask."""

    def __init__(
        self, name: str, args: MetricsServerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declares metrics-server.

        Args:
            name: Name of the part, its namespace and its release.
            args: Its settings.
            opts: Pulumi's resource options, with the cluster's provider.
        """
        super().__init__("todo-addons:index:MetricsServer", name, None, opts)
        settings = args.settings
        scope = declare_part_namespace(self, name, component="metrics")
        declare_ingress_policy(f"{name}-ingress-policy", scope, ANYWHERE, _PORT)
        reached = [*API_SERVER, *anywhere(_PORT)]
        declare_egress_policy(f"{name}-egress-policy", scope, reached)
        repository, tag = name_and_tag(settings.image)
        declare_chart(
            name,
            settings.chart,
            namespace=name,
            values={
                "fullnameOverride": name,
                "image": {"repository": repository, "tag": tag},
                "commonLabels": common_labels(name, scope.component),
                "args": ["--kubelet-insecure-tls"] if settings.kubelet_insecure_tls else [],
                "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0}},
                "podDisruptionBudget": {
                    "enabled": True,
                    "maxUnavailable": 1,
                    "unhealthyPodEvictionPolicy": "AlwaysAllow",
                },
                "resources": as_requirements(settings.resources),
            },
            opts=scope.opts,
            managed=opts,
        )
        self.register_outputs({})
