"""What set-up can do with the local clusters of one tool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster as its tool lists it."""

    name: str
    """Minikube's profile, kind's or k3d's cluster."""
    running: bool


class Provider(Protocol):
    """A tool with local clusters."""

    key: str
    """As in `cluster.provider`."""
    title: str
    """What one of its clusters is called in a sentence: "Minikube profile", "kind cluster"."""
    usual: str
    """The cluster that is meant where none is named."""

    def installed(self) -> bool:
        """Returns whether the tool can be used here."""
        ...

    def clusters(self) -> list[Cluster]:
        """Returns the clusters that there are.

        None where the tool cannot tell (its Docker is stopped).
        """
        ...

    def named_by(self, context: str) -> str | None:
        """Returns the cluster that a kube context is called after."""
        ...

    def start(self, name: str, ports: Sequence[int]) -> None:
        """Starts a cluster that is stopped, and makes it where there is none.

        A running one is left alone.

        Args:
            name: The cluster.
            ports: NodePorts that a new cluster should answer on at 127.0.0.1.

        Raises:
            Failure: It cannot be had; the sentence says what to do.
        """
        ...

    def found(self, name: str, ports: Sequence[int]) -> dict[str, Any]:
        """Returns what a stack's settings need to know of a running cluster.

        Context, address, how images get into it.

        Args:
            name: The cluster.
            ports: NodePorts of the application, which the node's address must lead to.

        Raises:
            Failure: No image that is built here would reach every node.
        """
        ...

    def policies(self, name: str) -> str:
        """Returns one line: what enforces NetworkPolicies in it, or that nothing does."""
        ...

    def stop(self, name: str) -> None:
        """Stops the cluster; its data stays.

        Raises:
            Failure: It does not stop.
        """
        ...

    def delete(self, name: str) -> None:
        """Removes the cluster with everything in it.

        Raises:
            Failure: It does not go.
        """
        ...
