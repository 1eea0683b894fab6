"""Declares Helm charts."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from addons.settings.chart import Chart
from components.cluster.remote_objects import as_transforms


def common_labels(name: str, component: str) -> dict[str, str]:
    """Returns the labels that a part's chart has to put on what it makes besides its own.

    Args:
        name: Name of the part.
        component: What it is for: the label app.kubernetes.io/component.
    """
    return {"app.kubernetes.io/component": component, "app.kubernetes.io/part-of": name}


def declare_chart(
    name: str,
    chart: Chart,
    *,
    namespace: str,
    values: Mapping[str, Any],
    opts: pulumi.ResourceOptions,
    managed: pulumi.ResourceOptions | None,
    skip_crds: bool = False,
) -> k8s.helm.v4.Chart:
    """Declares a chart, whose objects are the stack's own as those are that the program declares.

    Args:
        name: Pulumi name, and the release's: the label app.kubernetes.io/instance of most charts.
        chart: Where it comes from.
        namespace: The namespace, which is to be known in previews.
        values: The chart's values.
        opts: The chart's own options: its parent, what it waits for.
        managed: The options of the part that declares it, with what makes objects the stack's own.
        skip_crds: Leave out the folder `crds` of the chart.
    """
    own = pulumi.ResourceOptions(transforms=as_transforms(managed))
    return k8s.helm.v4.Chart(
        name,
        chart=chart.path or chart.name,
        version=None if chart.path else chart.version,
        repository_opts=k8s.helm.v4.RepositoryOptsArgs(repo=chart.repository)
        if chart.repository and not chart.path
        else None,
        namespace=namespace,
        values=dict(values),
        skip_crds=skip_crds,
        opts=pulumi.ResourceOptions.merge(opts, own),
    )
