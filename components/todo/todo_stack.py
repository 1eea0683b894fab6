"""TodoStack: namespace, limits, policies, database, backend, frontend, and the ways in."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

from components.app.app_deployment import AppDeployment, AppDeploymentArgs
from components.cluster.client import ClusterApi
from components.image.container_image import ContainerImage, ContainerImageArgs
from components.image.node_images import NodeImages
from components.metadata.labels import labels, object_name, selector
from components.metadata.scope import ObjectScope
from components.namespace.namespace import (
    declare_default_sizes,
    declare_namespace,
    declare_quota,
)
from components.network.exposure import url
from components.pod.probes import HttpProbe
from components.postgres.connections import max_connections
from components.postgres.postgres_stateful_set import (
    Backup,
    PostgresStatefulSet,
    PostgresStatefulSetArgs,
)
from components.todo.environment import backend_environment, backend_files, frontend_environment
from components.todo.images import BaseImage, image_source
from components.todo.network import declare_paths
from components.todo.ports import BACKEND_METRICS_PORT, BACKEND_PORT, FRONTEND_PORT, database_port
from components.todo.quota import quota_of
from components.todo.secret_table import DATABASE_PASSWORD, SECRETS
from components.todo.secrets import StackSecrets, declare_secrets
from components.todo.settings.config import SecretValues
from components.todo.settings.database import InClusterDatabase
from components.todo.settings.settings import Settings
from components.todo.volume_nodes import volume_nodes


@dataclass(frozen=True, kw_only=True)
class TodoStackArgs:
    """Arguments of TodoStack."""

    settings: Settings
    secrets: SecretValues | None
    """The secrets' values; None when they come from an external store."""
    apps: Path = Path("apps")
    """Folder of the applications' sources, relative to the project."""
    node_images: NodeImages | None = None
    """Where images that are loaded have to be; None: nobody is asked whether they still are."""


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
                Two stacks in one program have two names and two namespaces.
            args: The stack's settings and secrets.
            opts: Pulumi's resource options, with the cluster's provider.
        """
        super().__init__("todo:kubernetes:TodoStack", name, None, opts)
        self._name, self._args, self._settings = name, args, args.settings
        self._opts = pulumi.ResourceOptions(parent=self)
        settings = args.settings
        self._api = ClusterApi(settings.cluster)
        images = settings.images
        self._pull_secrets = () if images.mode == "load" else images.pull_secrets
        own_labels = labels(name, name, "application")
        if settings.namespace.adopt:
            # What holds for all of it is for its owner to say: labels, quota, sizes of pods.
            self._namespace = pulumi.Output.from_input(settings.namespace.name)
        else:
            more = {**settings.namespace.labels, **own_labels}
            self._namespace = object_name(
                declare_namespace(name, settings.namespace.name, more, opts=self._opts)
            )
        scope = ObjectScope(
            name=name,
            object_name=name,
            namespace=self._namespace,
            instance=name,
            component="application",
            opts=self._opts,
        )
        if not settings.namespace.adopt:
            declare_quota(scope, quota_of(settings))
            declare_default_sizes(scope)
        declare_paths(scope, settings)
        secrets = declare_secrets(scope, settings.secrets, args.secrets)
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

    def _image(self, app: str, **bases: BaseImage) -> pulumi.Output[str]:
        source = image_source(
            self._settings.images,
            app,
            context=self._args.apps / app,
            bases=bases,
            nodes=self._args.node_images,
        )
        former = "todo:kubernetes:AppImage"
        opts = self._child(f"{app}-image")
        opts.aliases = [
            pulumi.Alias(type_=former),
            pulumi.Alias(name=f"{app}-image", type_=former),
        ]
        name = f"{self._name}-{app}-image"
        return ContainerImage(name, ContainerImageArgs(source=source), opts=opts).reference

    def _database(self, settings: InClusterDatabase, secrets: StackSecrets) -> PostgresStatefulSet:
        backup = settings.backup
        return PostgresStatefulSet(
            f"{self._name}-postgres",
            PostgresStatefulSetArgs(
                object_name="postgres",
                namespace=self._namespace,
                password=secrets.values.get(DATABASE_PASSWORD.name),
                existing_secret=secrets.external,
                image=settings.image,
                database=settings.name,
                user=settings.user,
                instance=self._name,
                resources=settings.resources,
                max_connections=max_connections(self._settings.backend.scaling.most),
                storage_size=settings.storage.size,
                storage_class=settings.storage.storage_class,
                volume_nodes=volume_nodes(self._settings.cluster),
                backup=Backup(
                    schedule=backup.schedule,
                    keep=backup.keep,
                    storage_size=backup.storage.size,
                    storage_class=backup.storage.storage_class,
                )
                if backup
                else None,
                pull_secrets=self._pull_secrets,
                protect=self._settings.environment == "production",
                api=self._api,
                clients=[selector("backend", self._name)],
            ),
            opts=self._child("postgres"),
        )

    def _backend(
        self,
        image: pulumi.Output[str],
        host: str,
        secrets: StackSecrets,
        after: list[pulumi.Resource],
    ) -> AppDeployment:
        settings = self._settings.backend
        return AppDeployment(
            f"{self._name}-backend",
            AppDeploymentArgs(
                object_name="backend",
                image=image,
                namespace=self._namespace,
                port=BACKEND_PORT,
                component="backend",
                instance=self._name,
                env={**backend_environment(self._settings, host), **secrets.variables(SECRETS)},
                config_files=backend_files(self._settings),
                secret_files=secrets.files(SECRETS),
                init_command=["python", "-m", "todo_backend.migrate"],
                metrics_path="/metrics",
                metrics_port=BACKEND_METRICS_PORT,
                resources=settings.resources,
                scaling=settings.scaling,
                exposure=settings.exposure,
                metrics=self._settings.metrics,
                pre_stop_seconds=settings.pre_stop_seconds,
                pull_secrets=self._pull_secrets,
                api=self._api,
            ),
            opts=self._child("backend", after, former_type="todo:kubernetes:AppDeployment"),
        )

    def _frontend(self, image: pulumi.Output[str]) -> AppDeployment:
        settings = self._settings.frontend
        return AppDeployment(
            f"{self._name}-frontend",
            AppDeploymentArgs(
                object_name="frontend",
                image=image,
                namespace=self._namespace,
                port=FRONTEND_PORT,
                component="frontend",
                instance=self._name,
                env=frontend_environment(self._settings),
                liveness=HttpProbe("/api/health"),
                readiness=HttpProbe("/api/ready", period=5),
                resources=settings.resources,
                scaling=settings.scaling,
                exposure=settings.exposure,
                headless=True,
                pre_stop_seconds=settings.pre_stop_seconds,
                pull_secrets=self._pull_secrets,
                api=self._api,
                writable_paths=("/tmp", "/app/.next/cache"),  # noqa: S108 - mount points
            ),
            opts=self._child("frontend", former_type="todo:kubernetes:AppDeployment"),
        )

    def _child(
        self,
        former_name: str,
        after: Sequence[pulumi.Resource] = (),
        *,
        former_type: str | None = None,
    ) -> pulumi.ResourceOptions:
        """Returns options for a child that had another name or type once, lest it be made anew."""
        aliases = [pulumi.Alias(name=former_name)]
        if former_type:
            aliases = [
                pulumi.Alias(type_=former_type),
                pulumi.Alias(name=former_name, type_=former_type),
            ]
        return pulumi.ResourceOptions(parent=self, depends_on=list(after), aliases=aliases)

    def _url(self, app: str, port: int) -> str:
        settings = self._settings.frontend if app == "frontend" else self._settings.backend
        return url(
            settings.exposure,
            node_address=self._settings.cluster.node_address,
            service=app,
            namespace=self._settings.namespace.name,
            port=port,
        )
