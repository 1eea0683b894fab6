"""Declares the parts that the settings choose: one `if` each."""

from collections.abc import Mapping

import pulumi

from addons.development_store.development_store import DevelopmentStore, DevelopmentStoreArgs
from addons.gateway.gateway import Gateway, GatewayArgs
from addons.gateway.settings import node_ports
from addons.logs.logs import Logs, LogsArgs
from addons.metrics_server.metrics_server import MetricsServer, MetricsServerArgs
from addons.monitoring.monitoring import Monitoring, MonitoringArgs
from addons.names import MONITORING, POSTGRES_OPERATOR
from addons.postgres_operator.postgres_operator import PostgresOperator, PostgresOperatorArgs
from addons.registry.registry import Registry, RegistryArgs
from addons.secret_store.secret_store import SecretStore, SecretStoreArgs
from addons.secret_table import LOCAL_AUTHORITY, REGISTRY_PASSWORD
from addons.settings.config import AddonsConfig
from components.cluster.api import Api


def declare_parts(
    config: AddonsConfig, api: Api, opts: pulumi.ResourceOptions
) -> Mapping[str, object]:
    """Declares the chosen parts.

    Args:
        config: The stack's configuration.
        api: Requests to the cluster.
        opts: Options of every part: the cluster, and what makes its objects the stack's own.

    Returns:
        What the parts offer, for the program's outputs. None is secret: previews do not say whether
        such a one would change, so that `make addons` would update to find out.
    """
    settings = config.settings
    outputs: dict[str, object] = {
        "kubeconfig": settings.cluster.kubeconfig,
        "kubeContext": settings.cluster.context,
    }
    if settings.metrics_server:
        args = MetricsServerArgs(settings=settings.metrics_server)
        MetricsServer("metrics-server", args, opts)
    if settings.monitoring:
        Monitoring(MONITORING, MonitoringArgs(settings=settings.monitoring), opts)
    if settings.gateway:
        args = GatewayArgs(
            settings=settings.gateway,
            authority=config.secrets.get(LOCAL_AUTHORITY.name),
            api=api,
        )
        Gateway("gateway", args, opts)
        outputs["gatewayPorts"] = node_ports(settings.gateway.exposure)
    if settings.registry:
        args = RegistryArgs(
            settings=settings.registry,
            password=config.secrets[REGISTRY_PASSWORD.name],
            authority=config.secrets[LOCAL_AUTHORITY.name],
        )
        registry = Registry("registry", args, opts)
        outputs["registryAddress"] = registry.address
        outputs["registryAuthority"] = registry.authority
    if settings.logs:
        outputs["logsUrl"] = Logs("logs", LogsArgs(settings=settings.logs), opts).url
    if settings.postgres_operator:
        args = PostgresOperatorArgs(settings=settings.postgres_operator)
        PostgresOperator(POSTGRES_OPERATOR, args, opts)
    if settings.development_store:
        args = DevelopmentStoreArgs(settings=settings.development_store, clients="secret-store")
        DevelopmentStore("development-store", args, opts)
    if settings.secret_store:
        SecretStore("secret-store", SecretStoreArgs(settings=settings.secret_store), opts)
    return outputs
