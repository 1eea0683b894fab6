"""The Todo application on Kubernetes: settings in, everything declared, outputs out."""

# ruff: noqa: E402 - what is imported is most of what there is to collect
import atexit
import gc
from pathlib import Path

# A run makes next to no garbage, and ends: to look for it, in all that is left at the end once
# more, took two fifths of the program's own time.
gc.disable()
atexit.register(gc.freeze)

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
    signing_key=config.signing_key,
    node_images=node_images(config.settings.cluster, config.settings.images),
)
for name, value in TodoStack(INSTANCE, args, cluster_options(config)).outputs.items():
    pulumi.export(name, value)
