"""The annotation that says which stack made an object: the same of every program here."""

from typing import Final

ANNOTATION_PREFIX: Final = "todo-kubernetes"
"""What the annotations begin with that are the programs' own."""

STACK_MARK: Final = f"{ANNOTATION_PREFIX}/stack"
