"""TodoStack: the whole application - namespace, policies, database, backend, frontend, and the ways in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pulumi

from components.app_deployment import AppDeployment, AppDeploymentArgs
from components.config import SecretValues
from components.exposure import url
from components.external_secret import declare_external_secret
from components.image import AppImage, AppImageArgs
from components.labels import labels, selector
from components.namespace import Share, declare_limits, declare_namespace, quota
from components.network_policies import (
    addresses,
    allow_egress,
    allow_ingress,
    default_deny,
    namespace_pods,
)
from components.postgres_backup import Backup
from components.postgres_stateful_set import (
    PASSWORD_KEY,
    PORT,
    PostgresStatefulSet,
    PostgresStatefulSetArgs,
)
from components.secret_files import SecretFiles
from components.settings import BackendSettings, FrontendSettings, Settings
from components.values import ClusterIp, NodePort, NoMetrics, Resources

BACKEND_PORT = 8000
FRONTEND_PORT = 3000
_SECRETS = "/run/secrets/todo"  # noqa: S105 - a path
_BACKUP = Resources(
    cpu_request="50m", cpu_limit="500m", memory_request="64Mi", memory_limit="256Mi"
)


@dataclass(frozen=True, kw_only=True)
class TodoStackArgs:
    """Arguments of TodoStack."""

    settings: Settings
    secrets: SecretValues | None
    """The secrets' values; None when they come from an external store."""
    apps: Path = Path("apps")
    """Folder of the applications' sources, relative to the project."""


class TodoStack(pulumi.ComponentResource):
    """The Todo application in a namespace of its own."""

    outputs: dict[str, Any]
    """What the program exports."""

    def __init__(
        self, name: str, args: TodoStackArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declares the application as the settings say."""
        super().__init__("todo:kubernetes:TodoStack", name, None, opts)
        self._name, self._args, self._settings = name, args, args.settings
        self._opts = pulumi.ResourceOptions(parent=self)
        self._labels = labels(name, name, "application")
        settings = args.settings
        namespace = declare_namespace(
            name,
            settings.namespace.name,
            self._labels,
            retain=settings.database.mode == "inCluster",
            opts=self._opts,
        )
        self._namespace = namespace.metadata.name.apply(lambda it: it or "")
        declare_limits(name, self._namespace, self._labels, self._quota(), self._opts)
        default_deny(name, namespace=self._namespace, labels=self._labels, opts=self._opts)

        existing = self._external_secret()
        database_host, database = self._database(existing)
        backend_image = self._image("backend", {"PYTHON_IMAGE": "python"})
        frontend_image = self._image("frontend", {"NODE_IMAGE": "node"})
        backend = self._backend(backend_image, database_host, existing)
        frontend = self._frontend(frontend_image)
        self._paths_in("backend", settings.backend, BACKEND_PORT, from_frontend=True)
        self._paths_in("frontend", settings.frontend, FRONTEND_PORT, from_frontend=False)
        self._paths_out()

        self.outputs = {
            "namespace": self._namespace,
            "frontendUrl": self._url("frontend", settings.frontend, FRONTEND_PORT),
            "backendUrl": self._url("backend", settings.backend, BACKEND_PORT),
            "images": {
                "backend": backend_image,
                "frontend": frontend_image,
                "database": settings.database.image if settings.database.mode == "inCluster" else None,
            },
            "databaseAddress": pulumi.Output.concat(
                "postgresql://",
                settings.database.user,
                "@",
                database_host,
                f":{self._database_port()}/{settings.database.name}",
            ),
            "workloads": {
                "backend": backend.deployment_name,
                "frontend": frontend.deployment_name,
                "database": "postgres" if database else None,
            },
            "databaseClaim": database.claim_name if database else None,
            "kubeContext": settings.cluster.context,
            "kubeconfig": settings.cluster.kubeconfig,
            "ports": {
                "backend": BACKEND_PORT,
                "frontend": FRONTEND_PORT,
                "database": self._database_port(),
            },
        }
        self.register_outputs(self.outputs)

    def _quota(self) -> dict[str, str]:
        # Room for five pods of each application, or as many as the settings allow, and one more while rolling.
        shares = [
            Share(resources=app.resources, pods=max(app.scaling.most, 5) + 1)
            for app in (self._settings.backend, self._settings.frontend)
        ]
        database = self._settings.database
        if database.mode == "inCluster":
            # Two: a pod that terminates still counts. Three backups: scheduled, by hand, and a restore drill.
            shares.append(Share(resources=database.resources, pods=2))
            shares.append(Share(resources=_BACKUP, pods=3))
        return quota(shares, claims=4)

    def _external_secret(self) -> pulumi.Output[str] | None:
        secrets = self._settings.secrets
        if secrets.mode != "external":
            return None
        keys = {
            PASSWORD_KEY: secrets.keys.database_password,
            "jwt-key": secrets.keys.jwt_key,
            "jwt-previous-key": secrets.keys.jwt_previous_key,
            "chat-api-key": secrets.keys.chat_api_key,
        }
        return declare_external_secret(
            f"{self._name}-external-secret",
            secrets,
            namespace=self._namespace,
            object_name=self._name,
            labels=self._labels,
            remote_keys={key: remote for key, remote in keys.items() if remote},
            opts=self._opts,
        )

    def _database_port(self) -> int:
        database = self._settings.database
        return database.port if database.mode == "external" else PORT

    def _database(
        self, existing: pulumi.Output[str] | None
    ) -> tuple[pulumi.Output[str], PostgresStatefulSet | None]:
        settings = self._settings.database
        if settings.mode == "external":
            return pulumi.Output.from_input(settings.host), None
        backup = settings.backup
        secrets = self._args.secrets
        database = PostgresStatefulSet(
            "postgres",
            PostgresStatefulSetArgs(
                namespace=self._namespace,
                password=secrets.database_password if secrets else None,
                existing_secret=existing,
                image=settings.image,
                database=settings.name,
                user=settings.user,
                instance=self._name,
                resources=settings.resources,
                storage_size=settings.storage.size,
                storage_class=settings.storage.storage_class,
                backup=Backup(
                    schedule=backup.schedule,
                    keep=backup.keep,
                    storage_size=backup.storage.size,
                    storage_class=backup.storage.storage_class,
                )
                if backup
                else None,
                protect=self._settings.environment == "production",
                clients=[selector("backend", self._name)],
            ),
            opts=self._opts,
        )
        return database.host, database

    def _image(self, app: str, build_args: dict[str, str]) -> pulumi.Output[str]:
        images = self._settings.images
        bases = images.base_images.model_dump() if images.mode != "prebuilt" else {}
        image = AppImage(
            f"{app}-image",
            AppImageArgs(
                images=images,
                image_name=app,
                context=self._args.apps / app,
                build_args={key: bases[base] for key, base in build_args.items() if bases},
            ),
            opts=self._opts,
        )
        return image.reference

    def _backend(
        self,
        image: pulumi.Output[str],
        database_host: pulumi.Output[str],
        existing: pulumi.Output[str] | None,
    ) -> AppDeployment:
        settings, database = self._settings.backend, self._settings.database
        files, keys = self._backend_secrets(existing)
        env: dict[str, pulumi.Input[str]] = {
            "DATABASE_HOST": database_host,
            "DATABASE_PORT": str(self._database_port()),
            "DATABASE_NAME": database.name,
            "DATABASE_USER": database.user,
            # The pods share a cluster network with policies; outside of it the connection is encrypted.
            "DATABASE_SSLMODE": database.ssl_mode if database.mode == "external" else "disable",
            "DATABASE_PASSWORD_FILE": f"{_SECRETS}/{PASSWORD_KEY}",
            "JWT_KEY_FILE": f"{_SECRETS}/jwt-key",
            "LOG_LEVEL": settings.log_level,
        }
        if "jwt-previous-key" in keys:
            env["JWT_PREVIOUS_KEY_FILE"] = f"{_SECRETS}/jwt-previous-key"
        if settings.chat:
            env |= {"CHAT_BASE_URL": settings.chat.base_url, "CHAT_MODEL": settings.chat.model}
            if "chat-api-key" in keys:
                env["CHAT_API_KEY_FILE"] = f"{_SECRETS}/chat-api-key"
        return AppDeployment(
            "backend",
            AppDeploymentArgs(
                image=image,
                namespace=self._namespace,
                port=BACKEND_PORT,
                component="backend",
                instance=self._name,
                env=env,
                secret_files=files,
                init_command=["python", "-m", "todo_backend.migrate"],
                metrics_path="/metrics",
                resources=settings.resources,
                scaling=settings.scaling,
                exposure=settings.exposure,
                metrics=self._settings.metrics,
            ),
            opts=self._opts,
        )

    def _backend_secrets(self, existing: pulumi.Output[str] | None) -> tuple[SecretFiles, set[str]]:
        secrets = self._args.secrets
        if secrets is None:
            remote = self._settings.secrets
            known = remote.keys.model_fields_set if remote.mode == "external" else set[str]()
            keys = {key.replace("_", "-") for key in known}
            return SecretFiles(path=_SECRETS, existing=existing), keys
        values = {
            PASSWORD_KEY: secrets.database_password,
            "jwt-key": secrets.jwt_key,
            "jwt-previous-key": secrets.jwt_previous_key,
            "chat-api-key": secrets.chat_api_key,
        }
        given = {key: value for key, value in values.items() if value is not None}
        return SecretFiles(path=_SECRETS, values=given), set(given)

    def _frontend(self, image: pulumi.Output[str]) -> AppDeployment:
        settings = self._settings.frontend
        return AppDeployment(
            "frontend",
            AppDeploymentArgs(
                image=image,
                namespace=self._namespace,
                port=FRONTEND_PORT,
                component="frontend",
                instance=self._name,
                env={
                    "HOSTNAME": "0.0.0.0",
                    "PORT": str(FRONTEND_PORT),
                    "BACKEND_URL": f"http://backend:{BACKEND_PORT}",
                },
                liveness_path="/api/health",
                readiness_path="/api/ready",
                resources=settings.resources,
                scaling=settings.scaling,
                exposure=settings.exposure,
                writable_paths=("/tmp", "/app/.next/cache"),
            ),
            opts=self._opts,
        )

    def _url(self, app: str, settings: BackendSettings | FrontendSettings, port: int) -> str:
        return url(
            settings.exposure,
            node_address=self._settings.cluster.node_address,
            service=app,
            namespace=self._settings.namespace.name,
            port=port,
        )

    def _paths_in(
        self,
        app: str,
        settings: BackendSettings | FrontendSettings,
        port: int,
        *,
        from_frontend: bool,
    ) -> None:
        exposure = settings.exposure
        peers: list[Any] = [selector("frontend", self._name)] if from_frontend else []
        if isinstance(exposure, NodePort):
            peers.append(addresses("0.0.0.0/0"))
        elif not isinstance(exposure, ClusterIp):
            source = exposure.from_namespace
            peers.append(namespace_pods(source) if source else addresses("0.0.0.0/0"))
        metrics = self._settings.metrics
        if app == "backend" and not isinstance(metrics, NoMetrics):
            peers.append(namespace_pods(metrics.from_namespace))
        allow_ingress(
            f"{app}-policy",
            namespace=self._namespace,
            object_name=app,
            labels=labels(app, self._name, app),
            to=selector(app, self._name),
            peers=peers,
            port=port,
            opts=self._opts,
        )

    def _paths_out(self) -> None:
        database = self._settings.database
        destination = (
            addresses(database.cidr)
            if database.mode == "external"
            else selector("postgres", self._name)
        )
        backend: list[tuple[Any, int]] = [(destination, self._database_port())]
        if chat := self._settings.backend.chat:
            parts = urlsplit(chat.base_url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            backend.append((addresses("0.0.0.0/0"), port))
        self._path_out("frontend", [(selector("backend", self._name), BACKEND_PORT)])
        self._path_out("backend", backend)
        if database.mode == "inCluster" and database.backup:
            self._path_out("postgres-backup", [(selector("postgres", self._name), PORT)])

    def _path_out(self, app: str, peers: list[tuple[Any, int]]) -> None:
        allow_egress(
            f"{app}-egress",
            namespace=self._namespace,
            object_name=app,
            labels=labels(app, self._name, app),
            of=selector(app, self._name),
            peers=peers,
            opts=self._opts,
        )
