"""`switchover`: another server of an operator's takes the writes."""

import time
from typing import Annotated

import typer

from console.confirm import confirm
from console.duration import duration
from ops.cnpg.switchover import successor, switch_over
from ops.commands.options import Yes
from ops.context import target
from ops.servers import cluster_of_operator
from ops.terminal import progress, say


def switchover(
    context: typer.Context,
    to_server: Annotated[
        str | None, typer.Option("--to", help="The server's pod; default: any healthy follower.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Let another of the database's servers take the writes, e.g. before its node is drained.

    Nothing that was written is lost; requests wait for the seconds that it takes.
    """
    to = target(context)
    found = cluster_of_operator(to.stack, "A switchover")
    wanted = successor(to.cluster.get("Cluster", found.cluster), to_server)
    confirm(f"Let {wanted} take the writes now?", assume_yes=yes)
    begin = time.monotonic()
    with progress(f"Switching over to {wanted}"):
        switch_over(to.cluster, found.cluster, wanted)
    say(f"{wanted} takes the writes, after {duration(time.monotonic() - begin)}", "bold green")
