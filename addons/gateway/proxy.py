"""The proxies: how the controller is to make their Deployment and their Service."""

from typing import Any, assert_never

from addons.gateway.settings import Exposure, GatewaySettings, LoadBalancer, NodePorts
from components.pod.requirements import as_requirements
from components.values.resources import Resources

NAME = "envoy"
"""The label app.kubernetes.io/name that the controller gives to the proxies' pods."""
_SCRATCH = {"name": "tmp", "mountPath": "/tmp"}  # noqa: S108 - a mount point
_SHUTDOWN_MANAGER = Resources(
    cpu_request="10m", cpu_limit="200m", memory_request="32Mi", memory_limit="128Mi"
)
_USER = 65532
"""As the official images have it."""


def proxy_spec(settings: GatewaySettings, name: str) -> dict[str, Any]:
    """Returns the spec of the EnvoyProxy.

    Args:
        settings: The part's settings.
        name: Name of the Deployment and of the Service.
    """
    return {
        # Without it, as many as the node has cores, whatever the limit.
        "concurrency": 2,
        "provider": {
            "type": "Kubernetes",
            "kubernetes": {
                "envoyDeployment": _deployment(settings, name),
                "envoyService": {"name": name, **_service(settings.exposure)},
                "envoyPDB": {"maxUnavailable": 1},
            },
        },
        # A proxy that goes tells its clients so, answers on for as long as others need to learn
        # that it goes, and ends when nobody is connected any more.
        "shutdown": {"minDrainDuration": "15s", "drainTimeout": "60s"},
    }


def _deployment(settings: GatewaySettings, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "replicas": settings.replicas,
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
        },
        "container": {
            "image": settings.images.proxy,
            "resources": as_requirements(settings.proxy_resources),
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "privileged": False,
                "readOnlyRootFilesystem": True,
                "runAsNonRoot": True,
                "runAsUser": _USER,
                "runAsGroup": _USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        },
        "pod": {"labels": {"app.kubernetes.io/instance": name}},
        "patch": {
            "type": "StrategicMerge",
            "value": {
                "spec": {
                    "template": {
                        "spec": {
                            "enableServiceLinks": False,
                            "containers": [
                                {"name": "envoy", "volumeMounts": [_SCRATCH]},
                                {
                                    # It has the security context of the other, and writes a file.
                                    "name": "shutdown-manager",
                                    "resources": as_requirements(_SHUTDOWN_MANAGER),
                                    "volumeMounts": [_SCRATCH],
                                },
                            ],
                            "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}}],
                        }
                    }
                }
            },
        },
    }


def _service(exposure: Exposure) -> dict[str, Any]:
    # Local: the proxies see the clients' own addresses.
    match exposure:
        case NodePorts():
            ports = [
                {"port": port, "protocol": "TCP", "nodePort": node_port}
                for port, node_port in ((80, exposure.http), (443, exposure.https))
            ]
            return {
                "type": "NodePort",
                "externalTrafficPolicy": "Local",
                "patch": {"type": "StrategicMerge", "value": {"spec": {"ports": ports}}},
            }
        case LoadBalancer():
            return {
                "type": "LoadBalancer",
                "externalTrafficPolicy": "Local",
                "annotations": exposure.annotations,
            }
        case _:
            assert_never(exposure)
