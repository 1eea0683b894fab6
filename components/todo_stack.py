"""TodoStack: namespace, limits, policies, database, backend, frontend, and the ways in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

from components import postgres_backup
from components.app_deployment import AppDeployment, AppDeploymentArgs
from components.cluster_api import ClusterApi
from components.config import SecretValues
from components.exposure import url
from components.image import AppImage, AppImageArgs
from components.labels import labels, object_name, selector
from components.namespace import Share, declare_limits, declare_namespace, quota
from components.postgres_stateful_set import (
    Backup,
    PostgresStatefulSet,
    PostgresStatefulSetArgs,
)
from components.settings import InClusterDatabase, Settings
from components.todo_environment import backend_environment
from components.todo_network import declare_paths
from components.todo_ports import BACKEND_PORT, FRONTEND_PORT, database_port
from components.todo_secrets import TodoSecrets, todo_secrets


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
        """Declares the application.

        Args:
            name: The label app.kubernetes.io/instance of all objects, and their Pulumi prefix.
            args: The stack's settings and secrets.
            opts: Pulumi's resource options, with the cluster's provider.
        """
        super().__init__("todo:kubernetes:TodoStack", name, None, opts)
        self._name, self._args, self._settings = name, args, args.settings
        self._opts = pulumi.ResourceOptions(parent=self)
        settings = args.settings
        own_labels = labels(name, name, "application")
        self._namespace = object_name(
            declare_namespace(
                name,
                settings.namespace.name,
                own_labels,
                # The claim with the data is in it.
                retain=settings.database.mode == "inCluster",
                opts=self._opts,
            )
        )
        declare_limits(name, self._namespace, own_labels, quota_of(settings), self._opts)
        declare_paths(name, settings, namespace=self._namespace, opts=self._opts)
        secrets = todo_secrets(
            name, settings, args.secrets, namespace=self._namespace, opts=self._opts
        )
        images = {
            "backend": self._image("backend", PYTHON_IMAGE="python"),
            "frontend": self._image("frontend", NODE_IMAGE="node"),
        }
        if settings.database.mode == "inCluster":
            database = self._database(settings.database, secrets)
            host, claim, image = database.host, database.claim_name, settings.database.image
            after: list[pulumi.Resource] = [database]
        else:
            host, claim, image, after = settings.database.host, None, None, []
        backend = self._backend(images["backend"], host, secrets, after)
        frontend = self._frontend(images["frontend"])
        port = database_port(settings.database)
        self.outputs = {
            "namespace": self._namespace,
            "frontendUrl": self._url("frontend", FRONTEND_PORT),
            "backendUrl": self._url("backend", BACKEND_PORT),
            "images": {**images, "database": image},
            "databaseAddress": (
                f"postgresql://{settings.database.user}@{host}:{port}/{settings.database.name}"
            ),
            "databaseClaim": claim,
            "workloads": {
                "backend": backend.deployment_name,
                "frontend": frontend.deployment_name,
                "database": "postgres" if claim else None,
            },
            "ports": {"backend": BACKEND_PORT, "frontend": FRONTEND_PORT, "database": port},
            "kubeContext": settings.cluster.context,
            "kubeconfig": settings.cluster.kubeconfig,
        }
        self.register_outputs(self.outputs)

    def _image(self, app: str, **build_args: str) -> pulumi.Output[str]:
        images = self._settings.images
        bases = {} if images.mode == "prebuilt" else images.base_images.model_dump()
        image = AppImage(
            f"{app}-image",
            AppImageArgs(
                images=images,
                image_name=app,
                context=self._args.apps / app,
                build_args={key: bases[base] for key, base in build_args.items() if base in bases},
            ),
            opts=self._opts,
        )
        return image.reference

    def _database(self, settings: InClusterDatabase, secrets: TodoSecrets) -> PostgresStatefulSet:
        backup = settings.backup
        return PostgresStatefulSet(
            "postgres",
            PostgresStatefulSetArgs(
                namespace=self._namespace,
                password=secrets.database_password,
                existing_secret=secrets.external,
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
                api=ClusterApi(self._settings.cluster),
                clients=[selector("backend", self._name)],
            ),
            opts=self._opts,
        )

    def _backend(
        self,
        image: pulumi.Output[str],
        host: str,
        secrets: TodoSecrets,
        after: list[pulumi.Resource],
    ) -> AppDeployment:
        settings = self._settings.backend
        return AppDeployment(
            "backend",
            AppDeploymentArgs(
                image=image,
                namespace=self._namespace,
                port=BACKEND_PORT,
                component="backend",
                instance=self._name,
                env=backend_environment(self._settings, host, secrets.keys),
                secret_files=secrets.files,
                init_command=["python", "-m", "todo_backend.migrate"],
                metrics_path="/metrics",
                resources=settings.resources,
                scaling=settings.scaling,
                exposure=settings.exposure,
                metrics=self._settings.metrics,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )

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
                    "HOSTNAME": "0.0.0.0",  # noqa: S104 - the pod's own address
                    "PORT": str(FRONTEND_PORT),
                    "BACKEND_URL": f"http://backend:{BACKEND_PORT}",
                },
                liveness_path="/api/health",
                readiness_path="/api/ready",
                resources=settings.resources,
                scaling=settings.scaling,
                exposure=settings.exposure,
                writable_paths=("/tmp", "/app/.next/cache"),  # noqa: S108 - mount points
            ),
            opts=self._opts,
        )

    def _url(self, app: str, port: int) -> str:
        settings = self._settings.frontend if app == "frontend" else self._settings.backend
        return url(
            settings.exposure,
            node_address=self._settings.cluster.node_address,
            service=app,
            namespace=self._settings.namespace.name,
            port=port,
        )


def quota_of(settings: Settings) -> dict[str, str]:
    """Returns a quota for the largest the application may get, five pods of a kind or more."""
    shares = [
        # One more while rolling.
        Share(resources=app.resources, pods=max(app.scaling.most, 5) + 1)
        for app in (settings.backend, settings.frontend)
    ]
    database = settings.database
    if database.mode == "inCluster":
        # A pod that terminates still counts. Backups: the scheduled, one by hand, a restore drill.
        shares.append(Share(resources=database.resources, pods=2))
        shares.append(Share(resources=postgres_backup.RESOURCES, pods=3))
    return quota(shares, claims=4)
