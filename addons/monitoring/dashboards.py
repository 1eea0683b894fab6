"""The dashboards, for a Grafana that is there already: its sidecar takes what has the label."""

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Final

import pulumi_kubernetes as k8s
from grafana_foundation_sdk.builders import common, dashboard, prometheus, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import TooltipDisplayMode
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from components.metadata.scope import ObjectScope

LABEL: Final = {"grafana_dashboard": "1"}
"""What the sidecar of Grafana's chart looks for, as its values have it."""
_NAMESPACE = 'namespace="$namespace"'
_FRONTEND = "todo_frontend_http_request_duration_seconds"
_BACKEND = "todo_http_request_duration_seconds"


@dataclass(frozen=True)
class Panel:
    """Curves of one kind over time."""

    title: str
    unit: str
    """Grafana's name of it: reqps, s, percentunit, bytes, short."""
    curves: Sequence[tuple[str, str]]
    """Each an expression, and what it is called; `{{label}}` is a label's value."""


PANELS: Final = (
    Panel(
        "Requests by status",
        "reqps",
        [(f"sum by (status) (rate({_FRONTEND}_count{{{_NAMESPACE}}}[5m]))", "{{status}}")],
    ),
    Panel(
        "Requests that fail",
        "percentunit",
        [(f"namespace:frontend_errors:ratio_rate{it}{{{_NAMESPACE}}}", it) for it in ("5m", "1h")],
    ),
    Panel(
        "Time of an answer",
        "s",
        [
            (
                f"histogram_quantile({quantile}, sum by (le) (rate({_FRONTEND}_bucket"
                f'{{{_NAMESPACE},route!="/api/chat"}}[5m])))',
                f"{quantile:.0%}",
            )
            for quantile in (0.5, 0.95, 0.99)
        ],
    ),
    Panel(
        "The backend's slowest routes, 95 %",
        "s",
        [
            (
                "topk(5, histogram_quantile(0.95, sum by (le, route) "
                f"(rate({_BACKEND}_bucket{{{_NAMESPACE}}}[5m]))))",
                "{{route}}",
            )
        ],
    ),
    Panel(
        "Requests in flight, by pod",
        "short",
        [(f"todo_http_requests_in_flight{{{_NAMESPACE}}}", "{{pod}}")],
    ),
    Panel(
        "Database: connections",
        "short",
        [
            (f"sum by (state) (pg_stat_activity_count{{{_NAMESPACE}}})", "{{state}}"),
            (f"max(pg_settings_max_connections{{{_NAMESPACE}}})", "most"),
        ],
    ),
    Panel(
        "Database: transactions",
        "ops",
        [
            (f"sum(rate(pg_stat_database_xact_{it}{{{_NAMESPACE}}}[5m]))", it)
            for it in ("commit", "rollback")
        ],
    ),
    Panel(
        "Database: size",
        "bytes",
        [(f"pg_database_size_bytes{{{_NAMESPACE}}}", "{{datname}}")],
    ),
    Panel(
        "Restarts in an hour",
        "short",
        [
            (
                f"sum by (pod) (increase(kube_pod_container_status_restarts_total{{{_NAMESPACE}}}"
                "[1h]))",
                "{{pod}}",
            )
        ],
    ),
    Panel(
        "Age of the newest backup",
        "s",
        [
            (
                f"time() - kube_cronjob_status_last_successful_time{{{_NAMESPACE}}}",
                "{{cronjob}}",
            )
        ],
    ),
)


def todo_dashboard() -> str:
    """Returns the dashboard of the application as JSON, as Grafana imports it."""
    source = DataSourceRef(type_val="prometheus", uid="$datasource")
    built = (
        dashboard.Dashboard("Todo application")
        .uid("todo-application")
        .tags(["todo"])
        .refresh("30s")
        .time("now-1h", "now")
        .with_variable(dashboard.DatasourceVariable("datasource").type("prometheus"))
        .with_variable(
            dashboard.QueryVariable("namespace")
            .datasource(source)
            .query(f"label_values({_FRONTEND}_count, namespace)")
        )
    )
    for panel in PANELS:
        drawn = timeseries.Panel().title(panel.title).unit(panel.unit).min(0).datasource(source)
        drawn = drawn.tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        drawn = drawn.legend(common.VizLegendOptions().show_legend(True))  # noqa: FBT003 - its API
        for letter, (expression, legend) in zip(ascii_uppercase, panel.curves, strict=False):
            query = prometheus.Dataquery().expr(expression).legend_format(legend)
            drawn = drawn.with_target(query.ref_id(letter))
        built = built.with_panel(drawn.span(12).height(8))
    return JSONEncoder(sort_keys=True, indent=2).encode(built.build())


def declare_dashboards(scope: ObjectScope) -> k8s.core.v1.ConfigMap:
    """Declares the ConfigMap with the dashboards.

    Args:
        scope: The part's.
    """
    return k8s.core.v1.ConfigMap(
        f"{scope.name}-dashboards",
        metadata=scope.metadata("-dashboards", labels=LABEL),
        data={"todo-application.json": todo_dashboard()},
        opts=scope.opts,
    )
