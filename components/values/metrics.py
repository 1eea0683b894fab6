"""How Prometheus finds the pods."""

from collections.abc import Mapping
from typing import Annotated, Literal, assert_never

from pydantic import Field

from .names import DnsLabel, Labels
from .text import Matching
from .value import Value


class NoMetrics(Value):
    """Nobody scrapes the pods."""

    mode: Literal["none"] = "none"


class ScrapeAnnotations(Value):
    """The common `prometheus.io/*` pod annotations, for a Prometheus that goes by them."""

    mode: Literal["annotations"] = "annotations"
    from_namespace: DnsLabel = Field(default="monitoring", description="Namespace of Prometheus")


class ServiceMonitorMetrics(Value):
    """A ServiceMonitor for the Prometheus Operator."""

    mode: Literal["serviceMonitor"] = "serviceMonitor"
    interval: Annotated[
        str,
        Matching(pattern="[1-9][0-9]{0,4}(s|m)", allowed="seconds or minutes such as 30s or 1m"),
    ] = "30s"
    labels: Labels = Field(
        default={}, description="Labels by which the operator selects ServiceMonitors"
    )
    from_namespace: DnsLabel = Field(default="monitoring", description="Namespace of Prometheus")


Metrics = Annotated[
    NoMetrics | ScrapeAnnotations | ServiceMonitorMetrics, Field(discriminator="mode")
]


def namespace_labels(metrics: Metrics) -> Mapping[str, str]:
    """Returns the labels by which a namespace opts in: to being scraped, and to the alerts.

    A ServiceMonitor needs none to be scraped, but alerts of what is in the namespace do.
    """
    match metrics:
        case ScrapeAnnotations() | ServiceMonitorMetrics():
            return {"prometheus.io/scrape": "true"}
        case NoMetrics():
            return {}
        case _:
            assert_never(metrics)
