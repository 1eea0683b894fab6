"""The embedded cluster (`distribution/cluster`), which this clone brings itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from console.failure import Failure
from distribution import binaries, stand_ins
from distribution.addon_parts import OPERATORS_POSTGRES, POSTGRES_EXPORTER, RESTIC
from distribution.cluster import images, network, node, places, supervisor
from toolchain import internet, paths, ui
from toolchain.providers import remote_builder
from toolchain.providers.provider import Cluster

BUILDER = "todo-embedded"
"""The buildx builder on the cluster's BuildKit."""


def without_registry() -> bool:
    """Returns whether stand-ins take the place of published images.

    A cluster stays with them once they are in use: pods must not roll because a registry answers
    today.
    """
    return images.stand_ins_in_use() or not internet.registry_answers()


class Embedded:
    """One cluster for each clone; of all clones on a machine one runs at a time."""

    key = "embedded"
    title = "embedded cluster"
    usual = "embedded"

    def installed(self) -> bool:
        """Returns whether this machine can run it; `start` says why not."""
        try:
            node.check()
        except Failure:
            return False
        return True

    def clusters(self) -> list[Cluster]:
        """Returns this clone's cluster."""
        if node.exists() or node.running():
            return [Cluster(name=self.usual, running=node.running())]
        return []

    def named_by(self, context: str) -> str | None:
        """Returns the context has one name everywhere."""
        return self.usual if context == node.CONTEXT else None

    def start(self, name: str, ports: Sequence[int]) -> None:
        """Builds its tools where they are missing, and starts it.

        Raises:
            Failure: This is not root on Linux, or something of it cannot be had.
        """
        del name, ports
        node.check()
        with ui.step("Cluster tools"):
            binaries.ensure()
        with ui.step("Embedded cluster"):
            node.start(paths.BIN)

    def found(self, name: str, ports: Sequence[int]) -> dict[str, Any]:
        """Returns where it is; and stand-ins for official base images if no registry answers.

        Raises:
            Failure: A stand-in cannot be built.
        """
        del name, ports
        remote_builder.write(BUILDER, f"unix://{places.BUILDKIT_SOCKET}")
        found: dict[str, Any] = {
            "cluster": {
                "provider": self.key,
                "kubeconfig": str(node.kubeconfig()),
                "context": node.CONTEXT,
                "nodeAddress": network.NODE_ADDRESS,
                "podCidr": network.POD_SUBNET,
            },
            "images": {
                "mode": "load",
                "builder": {"name": BUILDER, "exporter": "image-store"},
            },
        }
        if without_registry():
            with ui.step("Base images"):
                base = images.ensure_base(paths.BIN)
            found["images"]["baseImages"] = {"python": base["python"], "node": base["node"]}
            found["database"] = {"mode": "inCluster", "image": base["postgres"]}
        return found

    def add_exporter(self, found: dict[str, Any]) -> None:
        """Adds what reads the database's metrics, where that is a stand-in too.

        Args:
            found: What `found` has returned.

        Raises:
            Failure: It cannot be built.
        """
        if database := found.get("database"):
            with ui.step("Database exporter"):
                stand_ins.ensure(paths.BIN, [POSTGRES_EXPORTER])
            database["exporter"] = {"image": stand_ins.reference(POSTGRES_EXPORTER)}

    def add_restic(self, found: dict[str, Any]) -> None:
        """Adds what brings the database's backups to an object store, where that is a stand-in too.

        Args:
            found: What `found` has returned.

        Raises:
            Failure: It cannot be built.
        """
        if database := found.get("database"):
            with ui.step("Image of restic"):
                stand_ins.ensure(paths.BIN, [RESTIC])
            image = stand_ins.reference(RESTIC)
            database["backup"] = {"destination": {"mode": "s3", "image": image}}

    def use_operators_image(self, found: dict[str, Any]) -> None:
        """Says which PostgreSQL an operator runs, where that is a stand-in too.

        Args:
            found: What `found` has returned.

        Raises:
            Failure: It cannot be built.
        """
        if "database" in found:
            with ui.step("Operator's PostgreSQL"):
                stand_ins.ensure(paths.BIN, [OPERATORS_POSTGRES])
            image = stand_ins.reference(OPERATORS_POSTGRES)
            found["database"] = {"mode": "operator", "image": image}

    def policies(self, name: str) -> str:
        """Says whether kube-router runs."""
        del name
        if supervisor.enforces(paths.CLUSTER):
            return "network policies are enforced by kube-router"
        return (
            "network policies are declared, but not enforced: this kernel lacks what kube-router "
            "needs"
        )

    def stop(self, name: str) -> None:
        """Stops it; its data stays."""
        del name
        node.stop()

    def delete(self, name: str) -> None:
        """Removes it with all that it wrote.

        Raises:
            Failure: It goes on running, or something of it cannot be removed.
        """
        del name
        node.delete()
