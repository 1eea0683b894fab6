"""Deploys one service from its description."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

import pulumi

from cluster_objects.stack_mark import ANNOTATION_PREFIX
from components.app.app_deployment import AppDeployment, AppDeploymentArgs
from components.cluster.api import Api
from components.image.container_image import ContainerImage, ContainerImageArgs
from components.image.node_images import NodeImages
from components.image.signing import SigningKey
from components.metadata.scope import ObjectScope
from components.postgres import (
    Backup,
    BackupStore,
    Drill,
    PostgresMetrics,
    PostgresStatefulSet,
    PostgresStatefulSetArgs,
)
from components.postgres_cluster import ContinuousBackup, PostgresCluster, PostgresClusterArgs
from components.todo.cluster_secrets import operators_password, store_credentials
from components.todo.deployed import (
    Deployed,
    DeployedPostgres,
    DeployedPostgresCluster,
    DeployedService,
    NotDeployed,
)
from components.todo.images import image_source, pinned_image
from components.todo.reach import clients, destinations
from components.todo.secret_table import DATABASE_PASSWORD
from components.todo.secrets import StackSecrets
from components.todo.service import (
    AnyService,
    BuiltImage,
    ExternalService,
    ImageOf,
    PostgresClusterService,
    PostgresService,
    PublishedImage,
    ServiceDescription,
)
from components.todo.settings.database import INPUT_NAMES, BackupSettings, S3Destination
from components.todo.settings.images import pull_secrets
from components.todo.settings.settings import Settings
from components.todo.volume_nodes import volume_nodes
from components.values.metrics import (
    Metrics,
    NoMetrics,
    ScrapeAnnotations,
    ServiceMonitorMetrics,
)
from components.values.postgres.connections import max_connections


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What all services of a stack have in common."""

    scope: ObjectScope
    namespace_uid: pulumi.Output[str] | None
    """Identity of the namespace; None: it is somebody else's."""
    settings: Settings
    services: Sequence[AnyService]
    secrets: StackSecrets
    apps: Path
    """Folder of the sources of images that are built."""
    nodes: NodeImages | None
    signing_key: pulumi.Output[SigningKey] | None
    """What images that are pushed are signed with."""
    api: Api


def deploy(service: AnyService, stack: Stack, deployed: Mapping[str, Deployed]) -> Deployed:
    """Declares what a description says.

    Args:
        service: The description.
        stack: Where it belongs.
        deployed: The services before it in the list, by name.
    """
    match service:
        case ServiceDescription():
            return _deploy_service(service, stack, deployed)
        case PostgresService():
            return DeployedPostgres(service=service, server=_deploy_postgres(service, stack))
        case PostgresClusterService():
            return DeployedPostgresCluster(
                service=service, server=_deploy_postgres_cluster(service, stack)
            )
        case ExternalService():
            return NotDeployed(service=service)
        case _:
            assert_never(service)


def _deploy_service(
    service: ServiceDescription, stack: Stack, deployed: Mapping[str, Deployed]
) -> DeployedService:
    image, build = _image(service, stack, deployed)
    secrets = stack.secrets
    app = AppDeployment(
        f"{stack.scope.name}-{service.object_name}",
        AppDeploymentArgs(
            object_name=service.object_name,
            instance=stack.scope.instance,
            component=service.name,
            namespace=stack.scope.namespace,
            image=image,
            pull_secrets=pull_secrets(stack.settings.images),
            command=service.command,
            args=service.args,
            init_command=service.init_command,
            env={**service.environment, **secrets.variables(service.secrets)},
            config_files=service.config_files,
            secret_files=secrets.files(service.secrets),
            writable_paths=service.writable_paths,
            port=service.port,
            app_protocol="http" if service.speaks_http else None,
            liveness=service.liveness,
            readiness=service.readiness,
            metrics=stack.settings.metrics,
            metrics_path=service.metrics_path,
            metrics_port=service.metrics_port,
            resources=service.resources,
            scaling=service.scaling,
            pods_after=[it for name in service.waits_for for it in deployed[name].waited_for],
            pre_stop_seconds=service.pre_stop_seconds,
            exposure=service.exposure,
            headless=service.headless,
            network_policies=True,
            clients=clients(stack.services, service, stack.scope.instance),
            reaches=destinations(stack.services, service, stack.scope.instance),
            # The policy of the whole namespace lets them ask for names.
            dns_cidrs=None,
            pod_cidr=stack.settings.cluster.pod_cidr,
            api=stack.api,
        ),
        opts=stack.scope.opts,
    )
    return DeployedService(service=service, image=image, build=build, app=app)


def _image(
    service: ServiceDescription, stack: Stack, deployed: Mapping[str, Deployed]
) -> tuple[pulumi.Output[str], pulumi.Resource | None]:
    """Returns what the pods run, and what builds it."""
    match service.image:
        case BuiltImage(base_images=base_images):
            source = image_source(
                stack.settings.images,
                service.name,
                context=stack.apps / service.name,
                bases=base_images,
                nodes=stack.nodes,
                signing_key=stack.signing_key,
            )
            args = ContainerImageArgs(source=source)
            name = f"{stack.scope.name}-{service.object_name}-image"
            built = ContainerImage(name, args, opts=stack.scope.opts)
            pinned = pinned_image(stack.settings.images, service.name)
            if pinned is None:
                return built.reference, built.image
            # It is built all the same: who takes the pin out again finds it there.
            args = ContainerImageArgs(source=pinned)
            image = ContainerImage(f"{name}-pinned", args, opts=stack.scope.opts)
            return image.reference, built.image
        case ImageOf(service=name):
            other = deployed[name]
            if not isinstance(other, DeployedService):
                raise ValueError(f"{service.name} cannot have the image of {name}")
            return other.image, None
        case PublishedImage(reference=reference):
            return pulumi.Output.from_input(reference), None
        case _:
            assert_never(service.image)


def _deploy_postgres(service: PostgresService, stack: Stack) -> PostgresStatefulSet:
    settings, backup = service.settings, service.settings.backup
    return PostgresStatefulSet(
        f"{stack.scope.name}-{service.object_name}",
        PostgresStatefulSetArgs(
            object_name=service.object_name,
            instance=stack.scope.instance,
            namespace=stack.scope.namespace,
            password=stack.secrets.values.get(DATABASE_PASSWORD.name),
            existing_secret=stack.secrets.external,
            password_key=DATABASE_PASSWORD.file,
            image=settings.image,
            pull_secrets=pull_secrets(stack.settings.images),
            database=settings.name,
            user=settings.user,
            resources=settings.resources,
            max_connections=max_connections(stack.settings.database_clients),
            storage_size=settings.storage.size,
            storage_class=settings.storage.storage_class,
            volume=settings.volume,
            preferred_nodes=volume_nodes(stack.settings.cluster),
            backup=Backup(
                schedule=backup.schedule,
                keep=backup.keep,
                storage_size=backup.storage.size,
                storage_class=backup.storage.storage_class,
                drill=Drill(schedule=backup.drill.schedule) if backup.drill else None,
            )
            if backup
            else None,
            backup_store=_backup_store(service, stack.secrets),
            metrics=_database_metrics(service, stack.settings.metrics),
            protect=stack.settings.environment == "production",
            clients=clients(stack.services, service, stack.scope.instance),
            dns_cidrs=None,
            api=stack.api,
            annotation_prefix=ANNOTATION_PREFIX,
            input_names=INPUT_NAMES,
        ),
        opts=stack.scope.opts,
    )


def _backup_store(service: PostgresService, secrets: StackSecrets) -> BackupStore | None:
    backup = service.settings.backup
    match backup:
        case BackupSettings(destination=S3Destination() as it):
            return BackupStore(
                store=it, secrets=secrets.store_files(), keep_days=it.keep_days, image=it.image
            )
        case BackupSettings() | None:
            return None
        case _:
            assert_never(backup)


def _deploy_postgres_cluster(service: PostgresClusterService, stack: Stack) -> PostgresCluster:
    settings, backup = service.settings, service.settings.backup
    name = f"{stack.scope.name}-{service.object_name}"
    scope = replace(stack.scope, name=name, object_name=service.object_name)
    return PostgresCluster(
        name,
        PostgresClusterArgs(
            object_name=service.object_name,
            instance=stack.scope.instance,
            namespace=stack.scope.namespace,
            password=stack.secrets.values.get(DATABASE_PASSWORD.name),
            existing_secret=operators_password(scope, stack.settings.secrets, settings.user),
            image=settings.image,
            pull_secrets=pull_secrets(stack.settings.images),
            instances=settings.instances,
            synchronous=settings.synchronous,
            database=settings.name,
            user=settings.user,
            resources=settings.resources,
            max_connections=max_connections(stack.settings.database_clients),
            storage_size=settings.storage.size,
            storage_class=settings.storage.storage_class,
            preferred_nodes=volume_nodes(stack.settings.cluster),
            backup=ContinuousBackup(
                store=backup.object_store,
                schedule=backup.schedule,
                keep_days=backup.keep_days,
                drill=Drill(schedule=backup.drill.schedule) if backup.drill else None,
            )
            if backup
            else None,
            archive_name=_archive_name(service, stack),
            store_credentials=store_credentials(scope, stack.secrets) if backup else None,
            metrics=stack.settings.metrics,
            protect=stack.settings.environment == "production",
            clients=clients(stack.services, service, stack.scope.instance),
            operator_namespace=settings.operator_namespace,
            dns_cidrs=None,
            api=stack.api,
            annotation_prefix=ANNOTATION_PREFIX,
            input_names=INPUT_NAMES,
        ),
        opts=stack.scope.opts,
    )


def _archive_name(service: PostgresClusterService, stack: Stack) -> pulumi.Output[str] | None:
    """Returns a name that follows the namespace, which is kept and made anew as the data are."""
    if stack.namespace_uid is None:
        return None
    # None where nobody makes the namespace: who exports the stack learns of no identity.
    return stack.namespace_uid.apply(
        lambda uid: f"{service.object_name}-{uid}" if uid else service.object_name
    )


def _database_metrics(service: PostgresService, metrics: Metrics) -> PostgresMetrics | None:
    exporter = service.settings.exporter
    match metrics:
        case NoMetrics():
            return None
        case ScrapeAnnotations() | ServiceMonitorMetrics():
            return PostgresMetrics(image=exporter.image, scraped=metrics) if exporter else None
        case _:
            assert_never(metrics)
