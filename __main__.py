"""The Todo application on Kubernetes: settings in, everything declared, outputs out."""

# ruff: noqa: E402 - what is imported is most of what there is to collect
import gc
from pathlib import Path

# A run makes next to no garbage, and ends: to look for it took a sixth of the program's own time.
gc.disable()

import pulumi

from components.cluster.interruption import end_quietly
from components.todo.cluster import cluster_options
from components.todo.names import INSTANCE
from components.todo.node_images import node_images
from components.todo.settings.config import load_config
from components.todo.todo_stack import TodoStack, TodoStackArgs

end_quietly()
config = load_config(Path(__file__).parent)
args = TodoStackArgs(
    settings=config.settings,
    secrets=config.secrets,
    node_images=node_images(config.settings.cluster, config.settings.images),
)
for name, value in TodoStack(INSTANCE, args, cluster_options(config)).outputs.items():
    pulumi.export(name, value)
