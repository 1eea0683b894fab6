"""Names that the program and `make up` have to agree on; nothing here needs more than Python."""

from typing import Final

CLUSTER_NAMES: Final = {"minikube": "minikube", "kind": "todo", "k3d": "todo"}
"""What a local cluster is called by the tool that makes it where the settings give no name."""

LOADED_IMAGES: Final = "localhost/todo"
"""Where the images are that no registry has: `localhost/` is pulled from nowhere, so that a missing
one is an error and not a stranger's."""

ANNOTATION_PREFIX: Final = "todo-kubernetes"
"""What the annotations begin with that are the program's own."""

STACK_MARK: Final = f"{ANNOTATION_PREFIX}/stack"
"""The annotation that says which stack made an object."""

IMAGE_MARK: Final = "todo-kubernetes/build"
"""The label of an image that was built once more because a node had lost it."""
