"""The images that no registry has: whether every node has them, and how they get there."""

from functools import cached_property

import pulumi

from .archive import ImageArchive
from .node_stores import Store


class NodeImages:
    """What the nodes have. They are asked once in a run of the program, and only if need be."""

    def __init__(self, store: Store, archive: ImageArchive | None = None) -> None:
        """Asks nothing yet.

        Args:
            store: Tells what every node has.
            archive: How an image that was built gets to the nodes; none: it is built there.
        """
        self._store = store
        self._archive = archive

    def lacks(self, image: str) -> bool:
        """Tells whether a node surely has not got an image."""
        return self._found is not None and image not in self._found

    def fetch(self, image: str) -> None:
        """Takes an image that was built to the nodes, unless it was built there.

        Raises:
            pulumi.RunError: It did not get to every node.
        """
        if self._archive is None:
            return
        self._archive.load(image)
        # `minikube image load` ends well with a broken archive, too, and with a stopped node.
        found = self._store()
        if found is None or image not in found:
            raise pulumi.RunError(
                f"{image} was loaded into {self._archive.target}, but not every node has it: see "
                "that all nodes run and have space left, then run pulumi up again"
            )
        pulumi.log.info(f"{image} loaded into {self._archive.target}")

    @cached_property
    def _found(self) -> frozenset[str] | None:
        found = self._store()
        if found is None and self._archive is not None and not pulumi.runtime.is_dry_run():
            pulumi.log.warn(
                f"the nodes of {self._archive.target} do not say which images they have, so "
                "nothing is loaded into them: see that the cluster runs, then run pulumi up again"
            )
        return found
