"""PostgresCluster: PostgreSQL by the CloudNativePG operator.

```python
PostgresCluster("db", PostgresClusterArgs(namespace="shop", password=password, instances=3))
```
"""

from dataclasses import replace

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.scope import ObjectScope
from ..postgres.drill_job import DrillResources
from ..postgres.pod import COMPONENT, PORT
from .args import PostgresClusterArgs
from .backup import declare_authority, declare_schedule
from .cluster import WRITABLE, declare_cluster
from .credentials import credentials_name, declare_credentials
from .drill import declare_drill
from .metrics import declare_pod_monitor
from .network import declare_policies

CustomResource = k8s.apiextensions.CustomResource


class PostgresCluster(pulumi.ComponentResource):
    """A Cluster of one to three instances, NetworkPolicies, and what it reads.

    The operator makes pods, claims, Services and certificates of it. Depending on the arguments
    there are a Secret, a ScheduledBackup, the drills of the backups and a PodMonitor; what is not
    declared is None.
    """

    host: str
    """Name of the operator's Service that leads to the instance that is written to; clients depend
    on `cluster` to wait for it."""
    port: int
    cluster_name: pulumi.Output[str]
    """Name of the Cluster; known to be there."""
    schedule_name: pulumi.Output[str] | None
    """Name of the ScheduledBackup, if there is one."""
    secret_name: pulumi.Output[str]
    """Name of the Secret with role and password."""
    selector: dict[str, str]
    """Labels of the cluster's pods, for the policies of those who connect."""

    cluster: CustomResource
    secret: k8s.core.v1.Secret | None
    """The Secret with role and password; None when something else keeps it."""
    network_policies: list[k8s.networking.v1.NetworkPolicy]
    schedule: CustomResource | None
    """The ScheduledBackup."""
    pod_monitor: CustomResource | None
    drill: DrillResources | None
    """What proves by schedule that the archive can be recovered."""

    def __init__(
        self, name: str, args: PostgresClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declares the cluster.

        Args:
            name: Prefix of the Pulumi names, and name of the Cluster unless the arguments have an
                `object_name`.
            args: What runs, where its data is, and who may connect.
            opts: Pulumi's resource options.
        """
        super().__init__("kubernetes-app-components:index:PostgresCluster", name, None, opts)
        scope = ObjectScope.of(self, name, args, component=COMPONENT)
        # With the Cluster go its volumes. So `pulumi destroy` keeps it, as it keeps the claims of
        # a StatefulSet, and with it what it needs to go on: its password and its policies.
        kept = pulumi.ResourceOptions(retain_on_delete=True)
        lasting = replace(scope, opts=pulumi.ResourceOptions.merge(scope.opts, kept))
        backups = lasting.part("backup")
        authority = declare_authority(backups, args.backup) if args.backup else None
        self.secret = declare_credentials(lasting, args)
        self.network_policies = declare_policies(lasting, args)
        secrets = [it for it in (self.secret, authority) if it]
        self.cluster = declare_cluster(
            # No instance starts that nobody may reach.
            lasting.after(*self.network_policies),
            args,
            secrets=secrets,
            authority=authority,
        )
        self.schedule = None
        if args.backup:
            self.schedule = declare_schedule(scope.part("backup"), self.cluster, scope, args.backup)
        self.drill = None
        own_archive = scope.object_name if args.archive_name is None else args.archive_name
        if args.backup and args.backup.drill and args.store_credentials:
            self.drill = declare_drill(
                scope.part("drill").after(self.cluster),
                args,
                args.backup.drill,
                backup=args.backup,
                credentials=args.store_credentials,
                archive=own_archive,
                authority=authority,
            )
        self.pod_monitor = declare_pod_monitor(scope, args.metrics)
        self.host = f"{scope.object_name}{WRITABLE}"
        self.port = PORT
        self.cluster_name = self.cluster.urn.apply(lambda _: scope.object_name)
        self.schedule_name = self.schedule and self.schedule.urn.apply(
            lambda _: backups.object_name
        )
        self.secret_name = pulumi.Output.from_input(credentials_name(scope, args))
        self.selector = scope.selector
        self.register_outputs(
            {"host": self.host, "port": self.port, "secret_name": self.secret_name}
        )
