"""Names that the program and `make up` have to agree on; nothing here needs more than Python."""

from typing import Final

from cluster_objects.stack_mark import ANNOTATION_PREFIX

PROJECT: Final = "todo"
"""The project in Pulumi.yaml, with which the keys in a stack's configuration begin."""

INSTANCE: Final = "todo"
"""The program's TodoStack: the label app.kubernetes.io/instance of all that it makes."""

FRONTEND: Final = "frontend"
BACKEND: Final = "backend"

NODE_PORTS: Final = {FRONTEND: 30000, BACKEND: 30001}
"""Where the services answer on every node, if the settings do not say otherwise."""

CLUSTER_NAMES: Final = {"minikube": "minikube", "kind": "todo", "k3d": "todo"}
"""What a local cluster is called by the tool that makes it where the settings give no name."""

LOADED_IMAGES: Final = "localhost/todo"
"""Where the images are that no registry has: `localhost/` is pulled from nowhere, so that a missing
one is an error and not a stranger's."""

IMAGE_MARK: Final = f"{ANNOTATION_PREFIX}/build"
"""The label of an image that was built once more because a node had lost it."""
