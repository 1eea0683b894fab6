"""moto in the place of AWS Secrets Manager, on clusters that are for development.

It lets everybody in who reaches it, and keeps everything in memory.
"""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from addons.development_store.settings import DevelopmentStoreSettings
from addons.namespace import declare_part_namespace
from components.app.app_deployment import AppDeployment, AppDeploymentArgs
from components.network.policies import namespace_pods
from components.pod.probes import HttpProbe, TcpProbe
from components.values.scaling import Fixed

_PORT = 5000


@dataclass(frozen=True, kw_only=True)
class DevelopmentStoreArgs:
    """Arguments of DevelopmentStore."""

    settings: DevelopmentStoreSettings
    clients: str
    """The namespace whose pods may ask it."""


class DevelopmentStore(pulumi.ComponentResource):
    """The server, and a Secret with the credentials that it asks for and does not look at."""

    url: str
    """Where it answers inside the cluster."""

    def __init__(
        self, name: str, args: DevelopmentStoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declares the store.

        Args:
            name: Name of the part, its namespace and its objects.
            args: Its settings.
            opts: Pulumi's resource options, with the cluster's provider.
        """
        super().__init__("todo-addons:index:DevelopmentStore", name, None, opts)
        scope = declare_part_namespace(self, name, component="store")
        k8s.core.v1.Secret(
            f"{name}-credentials",
            metadata=scope.metadata("-credentials"),
            string_data={"access-key-id": "development", "secret-access-key": "development"},
            opts=scope.opts,
        )
        AppDeployment(
            name,
            AppDeploymentArgs(
                image=args.settings.image,
                namespace=name,
                port=_PORT,
                component=scope.component,
                readiness=HttpProbe("/moto-api/"),
                liveness=TcpProbe(),
                resources=args.settings.resources,
                # Two would know different secrets.
                scaling=Fixed(replicas=1),
                network_policies=True,
                clients=[namespace_pods(args.clients)],
                dns_cidrs=None,
            ),
            opts=scope.opts,
        )
        self.url = f"http://{name}.{name}.svc:{_PORT}"
        self.register_outputs({"url": self.url})
