"""Metrics, and the alerts on them."""

from dataclasses import dataclass

import pulumi

from addons.monitoring import prometheus
from addons.monitoring.alertmanager import declare_alertmanager
from addons.monitoring.dashboards import declare_dashboards
from addons.monitoring.prometheus import declare_prometheus
from addons.monitoring.scraping import SCRAPED
from addons.monitoring.settings import MonitoringSettings
from addons.monitoring.state_metrics import declare_state_metrics
from addons.namespace import declare_part_namespace


@dataclass(frozen=True, kw_only=True)
class MonitoringArgs:
    """Arguments of Monitoring."""

    settings: MonitoringSettings


class Monitoring(pulumi.ComponentResource):
    """Prometheus, Alertmanager and kube-state-metrics in a namespace of their own.

    Scraped are the pods with the common `prometheus.io/*` annotations, in namespaces with the label
    `prometheus.io/scrape: "true"` alone.
    """

    def __init__(
        self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declares them.

        Args:
            name: Name of the part and its namespace.
            args: Its settings.
            opts: Pulumi's resource options, with the cluster's provider.
        """
        super().__init__("todo-addons:index:Monitoring", name, None, opts)
        settings = args.settings
        scope = declare_part_namespace(
            self, name, component="metrics", more_labels={SCRAPED: "true"}
        )
        declare_state_metrics(scope, settings.images.state_metrics, asked_by=prometheus.NAME)
        declare_alertmanager(scope, settings, asked_by=prometheus.NAME)
        declare_prometheus(scope, settings)
        declare_dashboards(scope)
        self.register_outputs({})
