"""The typed settings of a stack.

`todo:settings` in `Pulumi.<stack>.yaml` is validated into a `Settings` tree before any resource is
registered; `components/todo/settings/config.py` reads it.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from components.postgres.connections import pool_size
from components.todo.settings.database import Database, InClusterDatabase
from components.todo.settings.images import Images
from components.todo.settings.secrets import GeneratedSecrets, Secrets
from components.values.addresses import Cidr, HttpAddress, PodCidr
from components.values.exposure import (
    ClusterIpExposure,
    Exposure,
    NodePortExposure,
    node_port,
    public_host,
)
from components.values.metrics import Metrics, NoMetrics
from components.values.names import DnsLabel, HostName, NamespaceLabels
from components.values.resources import Resources
from components.values.scaling import Fixed, Scaling
from components.values.text import Between, Matching, Text
from components.values.value import Value

PreStopSeconds = Annotated[int, Between(0, 300)]
# Minikube takes host names (pkg/minikube/config/profile.go), kind and k3d lower-case ones.
_ClusterName = Annotated[
    str,
    Matching(
        pattern=r"[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?",
        allowed="a cluster's name: up to 63 letters, digits, '.' and '-', with a letter or a digit "
        "at either end",
    ),
]
NAMED_PROVIDERS = ("minikube", "kind", "k3d")
"""Tools that keep several clusters side by side, each under a name."""


class ClusterSettings(Value):
    """Which cluster to deploy to."""

    kind: Literal["local", "managed"] = Field(
        description="local: a development cluster on this machine; managed: any other"
    )
    provider: Literal["auto", "minikube", "kind", "k3d", "dockerDesktop", "embedded", "context"] = (
        Field(
            default="auto",
            description="What makes the local cluster. auto: the one of context, else what `make "
            "up` finds on this machine; context: the one of context, whatever made it",
        )
    )
    name: _ClusterName | None = Field(
        default=None,
        description="Minikube's profile, kind's or k3d's cluster; none: minikube, or todo with "
        "kind and k3d",
    )
    kubeconfig: Text | None = Field(default=None, description="Path; none: the ambient kubeconfig")
    context: Text | None = Field(default=None, description="None: the kubeconfig's current context")
    node_address: HostName = Field(
        default="127.0.0.1", description="Address of a node, for the URLs of NodePorts"
    )
    pod_cidr: PodCidr | None = Field(
        default=None,
        description="Addresses of pods: what is open to the outside stays closed to other "
        "namespaces; none: it is open to them too",
    )
    dns_cidrs: Annotated[tuple[Cidr, ...], Field(max_length=16)] = Field(
        default=("169.254.20.10/32",),
        description="Addresses of name servers that are no pods of kube-system: NodeLocal DNSCache",
    )

    @model_validator(mode="after")
    def _provider_fits(self) -> Self:
        if self.kind == "managed" and self.provider not in ("auto", "context"):
            raise ValueError(
                f"expected provider auto or context with kind managed: {self.provider} makes "
                "clusters on this machine (kind local)"
            )
        if self.name and (
            self.kind == "managed" or self.provider not in ("auto", *NAMED_PROVIDERS)
        ):
            raise ValueError(
                "expected a name only with kind local and provider auto, minikube, kind or k3d, "
                f"but provider is {self.provider} and kind {self.kind}"
            )
        return self


class NamespaceSettings(Value):
    """The namespace that holds everything."""

    name: DnsLabel = "todo-app"
    adopt: bool = Field(
        default=False,
        strict=True,
        description="true: deploy into a namespace that is there already and stays as it is: no "
        "labels, quota or limits, and policies for the stack's own pods only",
    )
    labels: NamespaceLabels = Field(
        default={}, description="More labels, by which controllers choose namespaces"
    )

    @field_validator("name")
    @classmethod
    def _not_the_clusters_own(cls, name: str) -> str:
        # Names from kube- on are reserved (Kubernetes: Namespaces, "Initial namespaces").
        if name == "default" or name.startswith("kube-"):
            raise ValueError(
                "expected a namespace of the application's own, such as todo-app: default and all "
                "that begin with kube- are the cluster's"
            )
        return name

    @model_validator(mode="after")
    def _labels_of_its_own(self) -> Self:
        if self.adopt and self.labels:
            raise ValueError("expected no labels with adopt true: such a namespace stays as it is")
        return self


class ServiceSettings(Value):
    """What can be chosen for every service."""

    connects_to_database: ClassVar[bool] = False
    """Whether each of its pods keeps connections to the database."""

    scaling: Scaling = Fixed()
    resources: Resources
    exposure: Exposure = ClusterIpExposure()
    pre_stop_seconds: PreStopSeconds = Field(
        default=5,
        description="Wait before a pod is told to stop, for all that send it requests to learn of "
        "it; longer than a load balancer takes to deregister a pod that it reaches directly",
    )


class FrontendSettings(ServiceSettings):
    """The Next.js frontend."""

    resources: Resources = Resources(
        cpu_request="100m", cpu_limit="200m", memory_request="128Mi", memory_limit="256Mi"
    )
    exposure: Exposure = NodePortExposure(port=30000)


class ChatSettings(Value):
    """An OpenAI-compatible chat endpoint; without one the application answers by itself."""

    base_url: HttpAddress
    model: Text


class BackendSettings(ServiceSettings):
    """The FastAPI backend."""

    connects_to_database = True

    resources: Resources = Resources(
        cpu_request="250m", cpu_limit="500m", memory_request="256Mi", memory_limit="512Mi"
    )
    exposure: Exposure = NodePortExposure(port=30001)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    chat: ChatSettings | None = None


class Settings(Value):
    """Everything a stack can choose."""

    environment: Literal["development", "production"] = Field(
        default="production",
        description="production: Pulumi refuses to delete or replace the database (protect)",
    )
    cluster: ClusterSettings
    namespace: NamespaceSettings = NamespaceSettings()
    images: Images
    secrets: Secrets = GeneratedSecrets()
    database: Database = InClusterDatabase()
    backend: BackendSettings = BackendSettings()
    frontend: FrontendSettings = FrontendSettings()
    metrics: Metrics = NoMetrics()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.images.mode == "load" and self.cluster.kind != "local":
            raise ValueError(
                "expected images.mode registry or prebuilt: load works only with cluster.kind local"
            )
        if (
            self.images.mode == "load"
            and self.images.builder.exporter == "archive"
            and self.cluster.provider not in NAMED_PROVIDERS
        ):
            raise ValueError(
                "expected images.builder.exporter docker or image-store: archive needs "
                "cluster.provider minikube, kind or k3d, whose tool loads it into the nodes, but "
                f"that is {self.cluster.provider}"
            )
        if (
            self.images.mode == "load"
            and self.images.builder.exporter == "docker"
            and self.images.builder.name
            and self.cluster.provider in ("kind", "k3d")
        ):
            raise ValueError(
                "expected images.builder.exporter archive with cluster.provider "
                f"{self.cluster.provider}, whose nodes have none of the images of a Docker daemon"
            )
        if self.database.mode == "external" and self.secrets.mode != "external":
            raise ValueError(
                "expected secrets.mode external: an external database's password is a reference "
                "(secrets.keys.databasePassword)"
            )
        if isinstance(self.database, InClusterDatabase):
            # Refuses what has no connection for each pod.
            pool_size(self.database_clients, self.database.resources.memory_limit)
        exposures = {name: block.exposure for name, block in self.services.items()}
        _refuse_equal("node ports", {name: node_port(it) for name, it in exposures.items()})
        _refuse_equal("hosts", {name: public_host(it) for name, it in exposures.items()})
        return self

    @property
    def services(self) -> Mapping[str, ServiceSettings]:
        """The blocks of services, by the services' names."""
        return {name: block for name, block in self if isinstance(block, ServiceSettings)}

    @property
    def database_clients(self) -> int:
        """The largest number of pods with connections to the database, but for rolling updates."""
        blocks = self.services.values()
        return sum(block.scaling.most for block in blocks if block.connects_to_database)


def _refuse_equal(what: str, values: Mapping[str, object]) -> None:
    """Refuses what two services both have.

    Args:
        what: What must be different.
        values: Service to its value; None: it has none.

    Raises:
        ValueError: Two have the same.
    """
    owners: dict[object, str] = {}
    for service, value in values.items():
        if value is None:
            continue
        if value in owners:
            raise ValueError(
                f"expected two different {what}, but {service} and {owners[value]} both use {value}"
            )
        owners[value] = service
