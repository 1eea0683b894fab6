"""What the chart of Envoy Gateway is told."""

from collections.abc import Mapping
from typing import Any

from addons.chart import common_labels
from addons.gateway.settings import GatewaySettings
from components.pod.requirements import as_requirements

NAME = "controller"
"""The label app.kubernetes.io/name of the controller's pods."""
SERVICE_PORT = 18000
"""Where proxies ask the controller what to do."""


def chart_values(settings: GatewaySettings, name: str) -> Mapping[str, Any]:
    """Returns the chart's values.

    Args:
        settings: The part's settings.
        name: Prefix of the names of its roles, and the label app.kubernetes.io/instance.
    """
    return {
        "fullnameOverride": name,
        "nameOverride": NAME,
        # They are declared apart: whoever takes the chart away keeps them, and the routes of all.
        "crds": {"enabled": False},
        "global": {
            "images": {
                "envoyGateway": {
                    "image": settings.images.controller,
                    "pullPolicy": "IfNotPresent",
                }
            }
        },
        "commonLabels": common_labels(name, "gateway"),
        "deployment": {
            "envoyGateway": {
                "resources": as_requirements(settings.controller_resources),
                "strategy": {
                    "type": "RollingUpdate",
                    "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
                },
            }
        },
        "podDisruptionBudget": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
        # A webhook that tells proxies their zone, for routes that prefer one.
        "topologyInjector": {"enabled": False},
    }
