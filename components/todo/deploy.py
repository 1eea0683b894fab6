"""Deploys one service from its description."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

import pulumi

from components.app.app_deployment import AppDeployment, AppDeploymentArgs
from components.cluster.api import Api
from components.image.container_image import ContainerImage, ContainerImageArgs
from components.image.node_images import NodeImages
from components.metadata.scope import ObjectScope
from components.postgres import (
    Backup,
    PostgresStatefulSet,
    PostgresStatefulSetArgs,
)
from components.todo.deployed import Deployed, DeployedPostgres, DeployedService, NotDeployed
from components.todo.images import image_source
from components.todo.names import ANNOTATION_PREFIX
from components.todo.reach import clients, destinations
from components.todo.secret_table import DATABASE_PASSWORD
from components.todo.secrets import StackSecrets
from components.todo.service import (
    AnyService,
    BuiltImage,
    ExternalService,
    ImageOf,
    PostgresService,
    PublishedImage,
    ServiceDescription,
)
from components.todo.settings.database import INPUT_NAMES
from components.todo.settings.images import pull_secrets
from components.todo.settings.settings import Settings
from components.todo.volume_nodes import volume_nodes
from components.values.postgres.connections import max_connections


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What all services of a stack have in common."""

    scope: ObjectScope
    settings: Settings
    services: Sequence[AnyService]
    secrets: StackSecrets
    apps: Path
    """Folder of the sources of images that are built."""
    nodes: NodeImages | None
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
        case ExternalService():
            return NotDeployed(service=service)
        case _:
            assert_never(service)


def _deploy_service(
    service: ServiceDescription, stack: Stack, deployed: Mapping[str, Deployed]
) -> DeployedService:
    image = _image(service, stack, deployed)
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
    return DeployedService(service=service, image=image, app=app)


def _image(
    service: ServiceDescription, stack: Stack, deployed: Mapping[str, Deployed]
) -> pulumi.Output[str]:
    match service.image:
        case BuiltImage(base_images=base_images):
            source = image_source(
                stack.settings.images,
                service.name,
                context=stack.apps / service.name,
                bases=base_images,
                nodes=stack.nodes,
            )
            args = ContainerImageArgs(source=source)
            name = f"{stack.scope.name}-{service.object_name}-image"
            return ContainerImage(name, args, opts=stack.scope.opts).reference
        case ImageOf(service=name):
            other = deployed[name]
            if not isinstance(other, DeployedService):
                raise ValueError(f"{service.name} cannot have the image of {name}")
            return other.image
        case PublishedImage(reference=reference):
            return pulumi.Output.from_input(reference)
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
            preferred_nodes=volume_nodes(stack.settings.cluster),
            backup=Backup(
                schedule=backup.schedule,
                keep=backup.keep,
                storage_size=backup.storage.size,
                storage_class=backup.storage.storage_class,
            )
            if backup
            else None,
            protect=stack.settings.environment == "production",
            clients=clients(stack.services, service, stack.scope.instance),
            dns_cidrs=None,
            api=stack.api,
            annotation_prefix=ANNOTATION_PREFIX,
            input_names=INPUT_NAMES,
        ),
        opts=stack.scope.opts,
    )
