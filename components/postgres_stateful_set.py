"""PostgresStatefulSet: one PostgreSQL server whose data outlives its pods, its StatefulSet and `pulumi destroy`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.labels import labels, selector
from components.network_policies import allow_ingress
from components.pods import container_security, exec_probe, pod_security, scratch_volume
from components.postgres_backup import Backup, declare_backup
from components.postgres_tuning import shared_memory_size, tuning
from components.values import Resources

core = k8s.core.v1

PORT = 5432
USER = 999
"""User and group ID of postgres in the official image."""
PASSWORD_KEY = "database-password"  # noqa: S105 - a key, not a password
_SECRETS_PATH = "/run/secrets/postgres"  # noqa: S105 - a path
_DATA_PATH = "/var/lib/postgresql/data"


@dataclass(frozen=True, kw_only=True)
class PostgresStatefulSetArgs:
    """Arguments of PostgresStatefulSet."""

    namespace: pulumi.Input[str]
    password: pulumi.Input[str] | None = None
    """The password; None when `existing_secret` has it."""
    existing_secret: pulumi.Input[str] | None = None
    """Name of a Secret that something else keeps, with the key `database-password`."""

    # What runs
    image: pulumi.Input[str] = "docker.io/library/postgres:17"
    """An image with the contract of the official one, up to major version 17."""
    database: str = "postgres"
    user: str = "postgres"
    instance: str = "todo"
    """The label app.kubernetes.io/instance."""
    resources: Resources = Resources(
        cpu_request="250m", cpu_limit="1", memory_request="256Mi", memory_limit="512Mi"
    )

    # Data
    storage_size: str = "1Gi"
    """Size of the data volume. A StatefulSet cannot change it: docs/operations.md tells how to grow a volume."""
    storage_class: str | None = None
    """Storage class; None: the cluster's default."""
    backup: Backup | None = None
    protect: bool = True
    """Whether Pulumi refuses to delete or replace the StatefulSet."""

    # Reach
    clients: Sequence[Mapping[str, str]] = ()
    """Pod labels of those who may connect."""


class PostgresStatefulSet(pulumi.ComponentResource):
    """StatefulSet with a retained claim, a client Service, a headless Service, a Secret and a backup job."""

    host: pulumi.Output[str]
    """Name of the Service clients connect to."""
    port: int
    claim_name: str
    """Name of the claim with the data."""
    secret_name: pulumi.Output[str]
    """Name of the Secret with the password."""

    def __init__(
        self, name: str, args: PostgresStatefulSetArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declares the server; the Kubernetes objects are called `name`."""
        super().__init__("todo:kubernetes:PostgresStatefulSet", name, None, opts)
        if (args.password is None) == (args.existing_secret is None):
            raise ValueError("PostgresStatefulSet needs exactly one of password and existing_secret")
        self._name, self._args = name, args
        self._opts = pulumi.ResourceOptions(parent=self)
        self.secret_name = self._secret()
        account = core.ServiceAccount(
            f"{name}-account",
            metadata=self._metadata(name),
            automount_service_account_token=False,
            opts=self._opts,
        )
        headless = self._service(f"{name}-headless", headless=True)
        client = self._service(name, headless=False)
        stateful_set = k8s.apps.v1.StatefulSet(
            f"{name}-stateful-set",
            metadata=self._metadata(name),
            spec=self._spec(account, headless),
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.protect,
                custom_timeouts=pulumi.CustomTimeouts(create="8m", update="8m", delete="4m"),
            ),
        )
        # A disruption budget of zero would block draining a node for ever; one server is down for a moment either way.
        allow_ingress(
            f"{name}-policy",
            namespace=args.namespace,
            object_name=name,
            labels=self._labels(),
            to=selector(name, args.instance),
            peers=[*args.clients, selector(f"{name}-backup", args.instance)],
            port=PORT,
            opts=self._opts,
        )
        if args.backup:
            declare_backup(
                name,
                args.backup,
                namespace=args.namespace,
                instance=args.instance,
                image=args.image,
                database=args.database,
                user=args.user,
                secret_name=self.secret_name,
                password_key=PASSWORD_KEY,
                # The Service's name, once the server answers: no backup job before there is something to back up.
                host=name,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[stateful_set]),
            )
        # Whoever uses the host waits until the server is ready.
        self.host = pulumi.Output.all(client.metadata.name, stateful_set.urn).apply(
            lambda known: str(known[0])
        )
        self.port = PORT
        self.claim_name = f"data-{name}-0"
        self.register_outputs(
            {
                "host": self.host,
                "port": self.port,
                "claim_name": self.claim_name,
                "secret_name": self.secret_name,
            }
        )

    def _labels(self) -> dict[str, str]:
        return labels(self._name, self._args.instance, "database")

    def _metadata(self, object_name: str) -> k8s.meta.v1.ObjectMetaArgs:
        return k8s.meta.v1.ObjectMetaArgs(
            name=object_name, namespace=self._args.namespace, labels=self._labels()
        )

    def _secret(self) -> pulumi.Output[str]:
        if self._args.existing_secret is not None:
            return pulumi.Output.from_input(self._args.existing_secret)
        # A fixed name, unlike other Secrets: the server reads the password only when it makes an empty volume's
        # database, so a new password (set with ALTER ROLE) need not restart it.
        secret = core.Secret(
            f"{self._name}-credentials",
            metadata=self._metadata(f"{self._name}-credentials"),
            string_data={PASSWORD_KEY: pulumi.Output.secret(self._args.password)},
            opts=self._opts,
        )
        return secret.metadata.name.apply(lambda name: name or "")

    def _service(self, object_name: str, *, headless: bool) -> core.Service:
        return core.Service(
            f"{object_name}-service",
            metadata=self._metadata(object_name),
            spec=core.ServiceSpecArgs(
                type="ClusterIP",
                cluster_ip="None" if headless else None,
                publish_not_ready_addresses=True if headless else None,
                selector=selector(self._name, self._args.instance),
                ports=[
                    core.ServicePortArgs(name="postgres", port=PORT, target_port="postgres")
                ],
            ),
            opts=self._opts,
        )

    def _spec(
        self, account: core.ServiceAccount, headless: core.Service
    ) -> k8s.apps.v1.StatefulSetSpecArgs:
        args = self._args
        return k8s.apps.v1.StatefulSetSpecArgs(
            replicas=1,
            service_name=headless.metadata.name.apply(lambda name: name or ""),
            selector=k8s.meta.v1.LabelSelectorArgs(match_labels=selector(self._name, args.instance)),
            pod_management_policy="OrderedReady",
            revision_history_limit=3,
            persistent_volume_claim_retention_policy=(
                k8s.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicyArgs(
                    when_deleted="Retain", when_scaled="Retain"
                )
            ),
            template=core.PodTemplateSpecArgs(
                metadata=k8s.meta.v1.ObjectMetaArgs(labels=self._labels()), spec=self._pod(account)
            ),
            volume_claim_templates=[
                core.PersistentVolumeClaimArgs(
                    metadata=k8s.meta.v1.ObjectMetaArgs(
                        name="data", labels=selector(self._name, args.instance)
                    ),
                    spec=core.PersistentVolumeClaimSpecArgs(
                        access_modes=["ReadWriteOnce"],
                        storage_class_name=args.storage_class,
                        resources=core.VolumeResourceRequirementsArgs(
                            requests={"storage": args.storage_size}
                        ),
                    ),
                )
            ],
        )

    def _pod(self, account: core.ServiceAccount) -> core.PodSpecArgs:
        args = self._args
        return core.PodSpecArgs(
            service_account_name=account.metadata.name,
            automount_service_account_token=False,
            enable_service_links=False,
            security_context=pod_security(USER, USER),
            # A fast shutdown writes a checkpoint first, which may take a while on a slow volume.
            termination_grace_period_seconds=120,
            containers=[self._container()],
            volumes=[
                core.VolumeArgs(
                    name="secrets",
                    secret=core.SecretVolumeSourceArgs(
                        secret_name=self.secret_name,
                        default_mode=0o440,
                        items=[core.KeyToPathArgs(key=PASSWORD_KEY, path=PASSWORD_KEY)],
                    ),
                ),
                scratch_volume("tmp", "64Mi"),
                scratch_volume("run", "16Mi"),
                scratch_volume(
                    "shm", shared_memory_size(args.resources.memory_limit), in_memory=True
                ),
            ],
        )

    def _container(self) -> core.ContainerArgs:
        args = self._args
        # Over TCP: during initdb the server answers on its socket only, and is not ready for clients.
        ready = ["pg_isready", "-h", "127.0.0.1", "-U", args.user, "-d", args.database]
        parameters = tuning(args.resources.memory_limit, args.storage_size)
        env = {
            "POSTGRES_DB": args.database,
            "POSTGRES_USER": args.user,
            "POSTGRES_PASSWORD_FILE": f"{_SECRETS_PATH}/{PASSWORD_KEY}",
            "POSTGRES_INITDB_ARGS": "--data-checksums --auth-host=scram-sha-256",
            # A folder of its own: the volume's root may hold lost+found, which initdb refuses.
            "PGDATA": f"{_DATA_PATH}/pgdata",
        }
        mounts = {
            "data": _DATA_PATH,
            "tmp": "/tmp",
            "run": "/var/run/postgresql",
            "shm": "/dev/shm",
        }
        return core.ContainerArgs(
            name="postgres",
            image=args.image,
            image_pull_policy="IfNotPresent",
            args=["postgres", *(f"-c{key}={value}" for key, value in parameters.items())],
            ports=[core.ContainerPortArgs(name="postgres", container_port=PORT)],
            env=[core.EnvVarArgs(name=key, value=value) for key, value in env.items()],
            resources=core.ResourceRequirementsArgs(**args.resources.to_kubernetes()),
            security_context=container_security(),
            volume_mounts=[
                *(core.VolumeMountArgs(name=key, mount_path=path) for key, path in mounts.items()),
                core.VolumeMountArgs(name="secrets", mount_path=_SECRETS_PATH, read_only=True),
            ],
            # 10 minutes: recovery after a crash replays WAL before the server answers.
            startup_probe=exec_probe(ready, period=2, failures=300),
            readiness_probe=exec_probe(ready, period=5, failures=3),
            liveness_probe=exec_probe(ready, period=15, failures=6, timeout=5),
            # Fast shutdown whatever the image's stop signal: SIGTERM alone would wait for all clients to leave.
            lifecycle=core.LifecycleArgs(
                pre_stop=core.LifecycleHandlerArgs(
                    exec_=core.ExecActionArgs(
                        command=["pg_ctl", "stop", "--mode=fast", "--no-wait"]
                    )
                )
            ),
        )
