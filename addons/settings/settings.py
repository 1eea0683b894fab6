"""The typed settings of a cluster's add-ons: a block for each part that it is to have."""

from typing import Self

from pydantic import model_validator

from addons.development_store.settings import DevelopmentStoreSettings
from addons.gateway.settings import GatewaySettings, LocalCertificate, node_ports
from addons.local_authority.settings import LocalAuthoritySettings
from addons.logs.settings import LogsSettings
from addons.metrics_server.settings import MetricsServerSettings
from addons.monitoring.settings import MonitoringSettings
from addons.postgres_operator.settings import PostgresOperatorSettings
from addons.registry.settings import RegistrySettings
from addons.secret_store.settings import SecretStoreSettings
from addons.settings.cluster import ClusterSettings
from components.values.value import Value


class AddonsSettings(Value):
    """Which parts a cluster has; one whose block is left out is not installed."""

    cluster: ClusterSettings
    metrics_server: MetricsServerSettings | None = None
    monitoring: MonitoringSettings | None = None
    local_authority: LocalAuthoritySettings | None = None
    gateway: GatewaySettings | None = None
    registry: RegistrySettings | None = None
    logs: LogsSettings | None = None
    secret_store: SecretStoreSettings | None = None
    postgres_operator: PostgresOperatorSettings | None = None
    development_store: DevelopmentStoreSettings | None = None

    @model_validator(mode="after")
    def _has_who_signs(self) -> Self:
        local = self.gateway and isinstance(self.gateway.certificate, LocalCertificate)
        if local and self.local_authority is None:
            raise ValueError(
                "expected the block localAuthority: {} for gateway.certificate.mode local"
            )
        if self.registry and self.local_authority is None:
            raise ValueError(
                "expected the block localAuthority: {} for registry, whose certificate it signs"
            )
        return self

    @model_validator(mode="after")
    def _has_each_port_once(self) -> Self:
        if self.gateway and self.registry:
            port = self.registry.node_port
            if port in node_ports(self.gateway.exposure):
                raise ValueError(
                    f"expected another registry.nodePort than {port}, which gateway.exposure has"
                )
        return self

    @model_validator(mode="after")
    def _develops_locally(self) -> Self:
        if self.development_store and self.cluster.kind != "local":
            raise ValueError(
                "expected no developmentStore with cluster.kind managed: it lets everybody in and "
                "forgets all; name a store in secretStore.aws"
            )
        return self
