"""TodoStack: the Todo application in a namespace, each service from its description."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

from components.image.node_images import NodeImages
from components.image.signing import SigningKey
from components.namespace.namespace import declare_quota
from components.namespace.quota_room import QuotaRoom
from components.todo.cluster import cluster_api
from components.todo.contract import operations
from components.todo.deploy import Stack, deploy
from components.todo.deployed import Deployed
from components.todo.former import keep_former
from components.todo.moving import keep_data
from components.todo.namespace import declare_stack_namespace
from components.todo.outputs import stack_outputs
from components.todo.quota import quota_of
from components.todo.secrets import declare_secrets
from components.todo.services.all_services import services
from components.todo.services.database import CLUSTER, STATEFUL_SET
from components.todo.settings.config import SecretValues
from components.todo.settings.settings import Settings


@dataclass(frozen=True, kw_only=True)
class TodoStackArgs:
    """Arguments of TodoStack."""

    settings: Settings
    secrets: SecretValues | None
    """The secrets' values; None when they come from an external store."""
    apps: Path = Path("apps")
    """Folder of the services' sources, relative to the project."""
    node_images: NodeImages | None = None
    """Where images that are loaded have to be; None: nobody is asked whether they still are."""
    signing_key: pulumi.Output[SigningKey] | None = None
    """What images are signed with, where the settings want them signed."""


class TodoStack(pulumi.ComponentResource):
    """The Todo application in a namespace of its own.

    What it consists of is in components/todo/services/; what each service needs is declared by
    deploy.py.
    """

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
        settings, described = args.settings, services(args.settings)
        # For policies, which see nothing of a stack but its resources.
        production = {"environment": "production"} if settings.environment == "production" else {}
        super().__init__("todo:kubernetes:TodoStack", name, production, opts)
        api = cluster_api(settings.cluster)
        kept = [keep_former(self, name), keep_data(name, api, STATEFUL_SET, CLUSTER)]
        hard = None if settings.namespace.adopt else quota_of(described)
        if hard is not None:
            room = QuotaRoom(api=api, name=name, hard=hard)
            kept.append(room.before(f"room in the quota of {name}"))
        opts = pulumi.ResourceOptions(parent=self, transformations=kept)
        namespace = declare_stack_namespace(name, settings, opts)
        scope = namespace.scope
        stack = Stack(
            scope=scope,
            namespace_uid=namespace.uid,
            settings=settings,
            services=described,
            secrets=declare_secrets(scope, settings.secrets, args.secrets),
            apps=args.apps,
            nodes=args.node_images,
            signing_key=args.signing_key,
            api=api,
        )
        deployed: dict[str, Deployed] = {}
        for service in described:
            deployed[service.name] = deploy(service, stack, deployed)
        if hard is not None:
            workloads = [it for found in deployed.values() for it in found.waited_for]
            declare_quota(scope.after(*workloads), hard)
        self.outputs = {
            **stack_outputs(settings, scope.namespace, [*deployed.values()]),
            "operations": operations(settings, scope, [*deployed.values()]),
        }
        self.register_outputs({**self.outputs, **production})
