"""The registry of a cluster: over TLS, with a password, and nothing in it is ever deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pulumi
import yaml

from addons.local_authority.authority import certificate_of, issue
from addons.monitoring.scraping import SCRAPED
from addons.namespace import declare_part_namespace
from addons.registry.login import htpasswd
from addons.registry.settings import RegistrySettings
from addons.volume import data_mount, data_volume, declare_claim, one_at_a_time
from components.app import CONFIG_PATH, AppDeployment, AppDeploymentArgs
from components.pod.probes import HttpProbe, TcpProbe
from components.secrets import SecretFiles
from components.values.exposure import NodePortExposure
from components.values.scaling import Fixed

_PORT, _DEBUG_PORT = 5000, 5001
_DATA, _SECRETS = "/var/lib/registry", "/run/secrets/registry"
_CONFIG = {
    "version": 0.1,
    "log": {"level": "info", "formatter": "json"},
    "storage": {
        "filesystem": {"rootdirectory": _DATA},
        # What was deployed once can be deployed again: its digest stays.
        "delete": {"enabled": False},
    },
    "http": {
        "addr": f":{_PORT}",
        "tls": {
            "certificate": f"{_SECRETS}/tls.crt",
            "key": f"{_SECRETS}/tls.key",
            "minimumtls": "tls1.2",
        },
        # Health, without TLS and password; no policy lets anybody but the kubelet ask.
        "debug": {"addr": f":{_DEBUG_PORT}"},
    },
    "auth": {"htpasswd": {"realm": "registry", "path": f"{_SECRETS}/htpasswd"}},
    "health": {"storagedriver": {"enabled": True, "interval": "10s", "threshold": 3}},
}


@dataclass(frozen=True, kw_only=True)
class RegistryArgs:
    """Arguments of Registry."""

    settings: RegistrySettings
    password: pulumi.Output[str]
    authority: pulumi.Output[str]
    """Key and certificate of the authority that signs its certificate, as PEM."""


class Registry(pulumi.ComponentResource):
    """CNCF Distribution in a namespace of its own, on a port of the nodes."""

    address: str
    """What the names of images in it begin with."""
    authority: pulumi.Output[str]
    """The certificate of who has signed its own, as PEM: whom its clients have to trust."""

    def __init__(
        self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declares the registry.

        Args:
            name: Name of the part, its namespace and its objects.
            args: Its settings and secrets.
            opts: Pulumi's resource options, with the cluster's provider.
        """
        super().__init__("todo-addons:index:Registry", name, None, opts)
        settings = args.settings
        # Its volume and its pod are watched.
        watched = {SCRAPED: "true"}
        scope = declare_part_namespace(self, name, component="registry", more_labels=watched)
        claim = declare_claim(
            scope,
            settings.storage_size,
            settings.storage_class,
            part="registry",
            storage="storageSize",
        )
        AppDeployment(
            name,
            AppDeploymentArgs(
                namespace=scope.namespace,
                component=scope.component,
                image=settings.image,
                args=["serve", f"{CONFIG_PATH}/config.yml"],
                config_files={"config.yml": yaml.safe_dump(_CONFIG)},
                secret_files=_secret_files(name, args),
                port=_PORT,
                app_protocol="https",
                metrics_port=_DEBUG_PORT,
                liveness=TcpProbe(port=_DEBUG_PORT),
                readiness=HttpProbe("/debug/health", port=_DEBUG_PORT),
                resources=settings.resources,
                scaling=Fixed(replicas=1),
                exposure=NodePortExposure(
                    port=settings.node_port, external_traffic_policy="Cluster"
                ),
                network_policies=True,
                dns_cidrs=None,
                extra_volumes=[data_volume(claim)],
                extra_volume_mounts=[data_mount(_DATA)],
                customize=one_at_a_time,
            ),
            opts=scope.opts,
        )
        self.address = f"{settings.hosts[0]}:{settings.node_port}"
        self.authority = pulumi.Output.unsecret(args.authority.apply(certificate_of))
        self.register_outputs({"address": self.address})


def _secret_files(name: str, args: RegistryArgs) -> SecretFiles:
    today = datetime.now(tz=UTC).date()
    hosts: Sequence[str] = (*args.settings.hosts, f"{name}.{name}.svc", "localhost")
    pair = args.authority.apply(lambda it: issue(it, hosts, today=today))
    return SecretFiles(
        path=_SECRETS,
        values={
            "htpasswd": args.password.apply(htpasswd),
            "tls.crt": pair.apply(lambda it: it.certificate),
            "tls.key": pair.apply(lambda it: it.key),
        },
    )
