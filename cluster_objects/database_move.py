"""What the program and operations say to each other while a database is moved."""

from typing import Final

from cluster_objects.stack_mark import ANNOTATION_PREFIX

MOVED_TO: Final = f"{ANNOTATION_PREFIX}/moved-to"
"""On a volume claim or a Cluster whose data went elsewhere: the `database.mode` that has them."""

CONFIG_KEY: Final = "todo:databaseMove"
"""The stack's configuration has it from a move's begin to its end: JSON with `to` and `from`."""

VARIABLE: Final = "TODO_DATABASE_MOVE"
"""In the environment of the updates that a move itself makes: the `database.mode` it leads to."""
