"""What every command gets: the stack and its cluster, both read when first used."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import typer

from ops.deployed_cluster import require_deployed
from ops.kube import Cluster
from ops.stack import Stack


@dataclass
class Target:
    """The stack that a command works on."""

    project: Path
    stack_name: str | None

    @cached_property
    def stack(self) -> Stack:
        """The stack."""
        return Stack(self.project, self.stack_name)

    @cached_property
    def cluster(self) -> Cluster:
        """The stack's cluster.

        Raises:
            Failure: The stack names no context, and the current one leads elsewhere by now.
        """
        found = Cluster.of(self.stack)
        if self.stack.contract.kube_context is None:
            require_deployed(self.stack, found)
        return found


def with_stack(to: Target, stack: Stack) -> Target:
    """Returns a target in the same cluster with another view of its stack."""
    other = Target(to.project, to.stack_name)
    vars(other).update(stack=stack, cluster=to.cluster)
    return other


def target(context: typer.Context) -> Target:
    """Returns the target that the global options named."""
    found = context.obj
    if not isinstance(found, Target):
        raise TypeError("the command line did not set a target")
    return found
