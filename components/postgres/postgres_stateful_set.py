"""PostgresStatefulSet: a PostgreSQL server whose data outlives pods and `pulumi destroy`.

```python
PostgresStatefulSet("db", PostgresStatefulSetArgs(namespace="shop", password=password))
```
"""

import pulumi
import pulumi_kubernetes as k8s

from ..app.app_deployment import AppDeployment
from ..metadata.scope import ObjectScope
from ..network.policies import declare_ingress_policy
from ..pod.service_account import declare_service_account
from .args import PostgresStatefulSetArgs
from .backup_job import BackupResources, declare_backup
from .drill_job import DrillResources, declare_drill
from .exporter import declare_exporter
from .metrics_role import ROLE_SCRIPTS, declare_metrics_password
from .password import declare_password, secret_name
from .pod import COMPONENT, PORT
from .roles import declare_roles
from .rollout import PostgresRollout
from .server import declare_headless_service, declare_service, declare_stateful_set
from .volume import claim_name

core = k8s.core.v1


class PostgresStatefulSet(pulumi.ComponentResource):
    """StatefulSet with a retained claim, two Services, NetworkPolicy and ServiceAccount.

    Also a ConfigMap with the script that makes the application's role, and depending on the
    arguments a Secret, the backups and their drills. What is not declared is None.
    """

    host: str
    """Name of the Service clients connect to; they depend on `stateful_set` to wait for it."""
    port: int
    claim_name: str
    """Name of the claim with the data."""
    secret_name: pulumi.Output[str]
    """Name of the Secret with the password."""
    selector: dict[str, str]
    """Labels of the server's pod, for the policies of those who connect."""

    stateful_set: k8s.apps.v1.StatefulSet
    service: core.Service
    headless_service: core.Service
    """Gives the pod its name in the DNS."""
    service_account: core.ServiceAccount
    roles: core.ConfigMap
    """The script that makes the application's role in a new volume."""
    secret: core.Secret | None
    """The Secret with the password; None when something else keeps it."""
    network_policy: k8s.networking.v1.NetworkPolicy
    """Lets the clients, the backups and the exporter connect, and nobody else."""
    backup: BackupResources | None
    drill: DrillResources | None
    metrics_secret: core.Secret | None
    """The password of the role with which metrics are read."""
    exporter: AppDeployment | None
    """What reads the metrics."""

    def __init__(
        self, name: str, args: PostgresStatefulSetArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declares the server.

        Args:
            name: Prefix of the Pulumi names, and name of the Kubernetes objects unless the
                arguments have an `object_name`.
            args: What runs, where its data is, and who may connect.
            opts: Pulumi's resource options.
        """
        super().__init__("kubernetes-app-components:index:PostgresStatefulSet", name, None, opts)
        scope = ObjectScope.of(self, name, args, component=COMPONENT)
        backups, exporter = scope.part("backup"), scope.part("exporter")
        self.secret = declare_password(scope, args)
        self.service_account = declare_service_account(scope, args.service_account_annotations)
        self.roles = declare_roles(scope, ROLE_SCRIPTS if args.metrics else {})
        self.metrics_secret = declare_metrics_password(scope) if args.metrics else None
        self.headless_service = declare_headless_service(scope)
        self.service = declare_service(scope)
        self.stateful_set = declare_stateful_set(
            scope,
            args,
            account=self.service_account,
            headless=self.headless_service,
            roles=self.roles,
            secrets=[it for it in (self.secret, self.metrics_secret) if it],
        )
        if args.api:
            PostgresRollout(args.api, args.input_names.server).follow(self.stateful_set)
        # No PodDisruptionBudget: for a single server it could only block draining a node for ever.
        self.network_policy = declare_ingress_policy(
            f"{name}-policy",
            scope,
            [
                *args.clients,
                backups.selector,
                *([exporter.selector] if args.metrics else []),
            ],
            PORT,
        )
        self.backup = None
        if args.backup:
            # No backup before there is something to back up.
            after = backups.after(self.stateful_set)
            self.backup = declare_backup(after, scope, args, args.backup)
        self.drill = None
        if args.backup and args.backup.drill and self.backup:
            drills = scope.part("drill").after(self.stateful_set)
            self.drill = declare_drill(drills, args, args.backup.drill, backups=self.backup.newest)
        self.exporter = None
        if args.metrics and self.metrics_secret:
            self.exporter = declare_exporter(
                exporter,
                args,
                args.metrics,
                server=scope,
                password=self.metrics_secret,
                after=self.stateful_set,
            )
        self.host = scope.object_name
        self.port = PORT
        self.claim_name = claim_name(args.volume, scope.object_name)
        self.secret_name = pulumi.Output.from_input(secret_name(args, scope.object_name))
        self.selector = scope.selector
        self.register_outputs(
            {
                "host": self.host,
                "port": self.port,
                "claim_name": self.claim_name,
                "secret_name": self.secret_name,
            }
        )
