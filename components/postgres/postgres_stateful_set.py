"""PostgresStatefulSet: a PostgreSQL server whose data outlives pods and `pulumi destroy`."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.awaiting import NOT_AWAITED
from ..metadata.labels import labels, object_name, selector
from ..metadata.scope import ObjectScope
from ..network.policies import declare_ingress_policy
from .args import PostgresStatefulSetArgs
from .backup import Backup, declare_backup
from .hooks import server_hooks
from .identity import ANNOTATION, identity, words
from .pod import PASSWORD_KEY, PORT, postgres_pod
from .roles import declare_roles
from .rollout import PostgresRollout
from .volume import claim_template

__all__ = ["PASSWORD_KEY", "PORT", "Backup", "PostgresStatefulSet", "PostgresStatefulSetArgs"]

core = k8s.core.v1


class PostgresStatefulSet(pulumi.ComponentResource):
    """StatefulSet with a retained claim, two Services, Secret, NetworkPolicy and backup job."""

    host: str
    """Name of the Service clients connect to; they depend on this component to wait for it."""
    port: int
    claim_name: str
    """Name of the claim with the data."""
    secret_name: pulumi.Output[str]
    """Name of the Secret with the password."""
    secret: core.Secret | None
    """The Secret with the password; None: something else keeps it."""

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
        super().__init__("todo:kubernetes:PostgresStatefulSet", name, None, opts)
        if (args.password is None) == (args.existing_secret is None):
            raise ValueError(
                "PostgresStatefulSet needs exactly one of password and existing_secret"
            )
        self._name, self._args = name, args
        self._object_name = own = args.object_name or name
        self._opts = pulumi.ResourceOptions(parent=self)
        self.secret = secret = self._secret()
        # The name itself and not the Secret's output: a new password replaces the Secret, and what
        # depends on an output of a replaced resource may be replaced with it. So the order is said
        # by depends_on.
        self.secret_name = pulumi.Output.from_input(args.existing_secret or f"{own}-credentials")
        account = core.ServiceAccount(
            f"{name}-account",
            metadata=self._metadata(),
            automount_service_account_token=False,
            opts=self._opts,
        )
        roles = declare_roles(name, self._metadata("-roles"), self._opts)
        headless = self._service("-headless", headless=True)
        self._service("", headless=False)
        made_with = identity(
            image=args.image,
            database=args.database,
            user=args.user,
            size=args.storage_size,
            storage_class=args.storage_class,
        )
        metadata = self._metadata()
        metadata.annotations = {ANNOTATION: words(made_with)}
        stateful_set = k8s.apps.v1.StatefulSet(
            f"{name}-stateful-set",
            metadata=metadata,
            spec=self._spec(account, headless, roles),
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.protect,
                depends_on=[secret] if secret else None,
                custom_timeouts=pulumi.CustomTimeouts(create="8m", update="5m", delete="4m"),
                # It cannot be changed, and to replace the server would not change the volume: the
                # annotation shows a change, and the hook refuses it.
                ignore_changes=["spec.volumeClaimTemplates"],
                hooks=server_hooks(name, args.api),
            ),
        )
        if args.api:
            PostgresRollout(args.api).follow(stateful_set)
        # No PodDisruptionBudget: for a single server it could only block draining a node for ever.
        scope = ObjectScope(
            name=name,
            object_name=own,
            namespace=args.namespace,
            instance=args.instance,
            component="database",
            opts=self._opts,
        )
        declare_ingress_policy(
            f"{name}-policy",
            scope,
            [*args.clients, selector(f"{own}-backup", args.instance)],
            PORT,
        )
        if args.backup:
            declare_backup(
                name,
                args.backup,
                namespace=args.namespace,
                object_name=f"{own}-backup",
                instance=args.instance,
                image=args.image,
                pull_secrets=args.pull_secrets,
                database=args.database,
                user=args.user,
                secret_name=self.secret_name,
                host=own,
                volume_nodes=args.volume_nodes,
                api=args.api,
                # No backup before there is something to back up.
                opts=pulumi.ResourceOptions(parent=self, depends_on=[stateful_set]),
            )
        self.host = own
        self.port = PORT
        self.claim_name = f"data-{own}-0"
        self.register_outputs(
            {
                "host": self.host,
                "port": self.port,
                "claim_name": self.claim_name,
                "secret_name": self.secret_name,
            }
        )

    def _labels(self) -> dict[str, str]:
        return labels(self._object_name, self._args.instance, "database")

    def _metadata(
        self, suffix: str = "", annotations: Mapping[str, str] | None = None
    ) -> k8s.meta.v1.ObjectMetaArgs:
        return k8s.meta.v1.ObjectMetaArgs(
            name=f"{self._object_name}{suffix}",
            namespace=self._args.namespace,
            labels=self._labels(),
            annotations=dict(annotations) if annotations else None,
        )

    def _secret(self) -> core.Secret | None:
        if self._args.password is None:
            return None
        # A fixed name, unlike other Secrets: the server reads the password only when it fills an
        # empty volume, so a new password (set with ALTER ROLE) need not restart it.
        return core.Secret(
            f"{self._name}-credentials",
            metadata=self._metadata("-credentials"),
            string_data={PASSWORD_KEY: pulumi.Output.secret(self._args.password)},
            opts=self._opts,
        )

    def _service(self, suffix: str, *, headless: bool) -> core.Service:
        return core.Service(
            f"{self._name}{suffix}-service",
            # The StatefulSet is awaited, and fails with the reason of its pod.
            metadata=self._metadata(suffix, NOT_AWAITED),
            spec=core.ServiceSpecArgs(
                type="ClusterIP",
                cluster_ip="None" if headless else None,
                publish_not_ready_addresses=True if headless else None,
                selector=selector(self._object_name, self._args.instance),
                ports=[core.ServicePortArgs(name="postgres", port=PORT, target_port="postgres")],
            ),
            opts=self._opts,
        )

    def _spec(
        self, account: core.ServiceAccount, headless: core.Service, roles: core.ConfigMap
    ) -> k8s.apps.v1.StatefulSetSpecArgs:
        args = self._args
        return k8s.apps.v1.StatefulSetSpecArgs(
            replicas=1,
            service_name=object_name(headless),
            selector=k8s.meta.v1.LabelSelectorArgs(
                match_labels=selector(self._object_name, args.instance)
            ),
            pod_management_policy="OrderedReady",
            revision_history_limit=3,
            persistent_volume_claim_retention_policy=(
                k8s.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicyArgs(
                    when_deleted="Retain", when_scaled="Retain"
                )
            ),
            template=core.PodTemplateSpecArgs(
                metadata=k8s.meta.v1.ObjectMetaArgs(labels=self._labels()),
                spec=postgres_pod(
                    account=object_name(account),
                    host=self._object_name,
                    image=args.image,
                    pull_secrets=args.pull_secrets,
                    database=args.database,
                    user=args.user,
                    secret_name=self.secret_name,
                    roles=object_name(roles),
                    resources=args.resources,
                    storage_size=args.storage_size,
                    connections=args.max_connections,
                    volume_nodes=args.volume_nodes,
                ),
            ),
            volume_claim_templates=[
                claim_template(
                    selector(self._object_name, args.instance),
                    args.storage_size,
                    args.storage_class,
                )
            ],
        )
