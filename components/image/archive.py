"""Takes an image out of this machine's Docker into every node of a local cluster."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, assert_never

import pulumi

from .local_commands import docker, work

Tool = Literal["minikube", "kind", "k3d"]


@dataclass(frozen=True, kw_only=True)
class ImageArchive:
    """The way of `docker image save` and the command of the cluster's own tool."""

    tool: Tool
    cluster: str
    docker_context: str | None
    """Where the images are built; none: the selected Docker context."""
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    @property
    def target(self) -> str:
        """The cluster, in words."""
        what = "Minikube profile" if self.tool == "minikube" else f"{self.tool} cluster"
        return f"{what} {self.cluster}"

    def load(self, image: str) -> None:
        """Loads an image into every node.

        One at a time, since k3d's and Minikube's commands would get into each other's way.

        Raises:
            pulumi.RunError: It did not work; the sentence says what to do.
        """
        with self._one_at_a_time, TemporaryDirectory(prefix="image-") as folder:
            # Minikube keeps a copy under this name on each node: the next one takes its place.
            file = Path(folder, f"{_file_name(image)}.tar")
            try:
                # Its own --output is out of reach of a Docker that is confined (snap).
                work(docker(self.docker_context, "image", "save", image), output=file)
                work(self._command(file), context=self.docker_context)
            except pulumi.RunError as error:
                raise pulumi.RunError(
                    f"{image} is not on every node of {self.target}: {error}; see that Docker and "
                    f"the cluster run, then run pulumi up again"
                ) from None

    def _command(self, file: Path) -> list[str]:
        match self.tool:
            case "kind":
                return ["kind", "load", "image-archive", str(file), "--name", self.cluster]
            case "k3d":
                # The default mode pulls an image of its own, and says that all went well when a
                # node has refused (k3d-io/k3d#1072, #1484).
                direct = ["--cluster", self.cluster, "--mode=direct"]
                return ["k3d", "image", "import", str(file), *direct]
            case "minikube":
                return ["minikube", "image", "load", str(file), "--profile", self.cluster]
            case _:
                assert_never(self.tool)


def _file_name(image: str) -> str:
    """Returns the repository's path in one word: `shop-cart` of `localhost/shop/cart:1`."""
    repository = image.partition("@")[0].rpartition(":")[0]
    return repository.partition("/")[2].replace("/", "-")
