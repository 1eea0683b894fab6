"""The Todo application on Kubernetes: settings in, everything declared, outputs out."""

from pathlib import Path

import pulumi

from components.cluster.deletion import bound_deletion
from components.cluster.interruption import end_quietly
from components.cluster.ownership import Ownership
from components.cluster.provider import kubernetes_provider
from components.todo.node_images import node_images
from components.todo.settings.config import load_config
from components.todo.todo_stack import TodoStack, TodoStackArgs

end_quietly()
config = load_config(Path(__file__).parent)
cluster = kubernetes_provider("cluster", config.settings.cluster)
namespace = config.settings.namespace
ownership = Ownership(
    config.identity,
    config.settings.cluster,
    adopted=[namespace.name] if namespace.adopt else [],
)
todo = TodoStack(
    "todo",
    TodoStackArgs(
        settings=config.settings,
        secrets=config.secrets,
        node_images=node_images(config.settings.cluster, config.settings.images),
    ),
    opts=pulumi.ResourceOptions(
        providers=[cluster], transformations=[bound_deletion, ownership.own]
    ),
)
for name, value in todo.outputs.items():
    pulumi.export(name, value)
