"""`drift`: what was changed behind Pulumi's back."""

from dataclasses import asdict
from typing import Annotated

import typer

from console.failure import ExitCode
from ops.commands.options import AsJson
from ops.context import target
from ops.drift import find_drift
from ops.repair import REPAIR
from ops.terminal import print_json, progress, say, table


def drift(
    context: typer.Context,
    full: Annotated[
        bool, typer.Option("--full", help="Compare with the program too (slower).")
    ] = False,
    json: AsJson = False,
) -> None:
    """Show what differs from Pulumi's state; changes nothing. Exit code 5: something does."""
    with progress("Comparing the cluster with Pulumi's state"):
        found = find_drift(target(context).stack, full=full)
    if json:
        print_json([asdict(difference) for difference in found])
    elif found:
        rows = [[d.kind, d.name, d.field or "(object)", d.wanted, d.found] for d in found]
        table(["KIND", "NAME", "FIELD", "PULUMI HAS", "CLUSTER HAS"], rows)
        plural = "s" * (len(found) != 1)
        say("")
        say(f"DRIFT: {len(found)} difference{plural}; put back what Pulumi has: {REPAIR}", "red")
    else:
        say("NO DRIFT: the cluster is as Pulumi left it", "bold green")
    if found:
        raise typer.Exit(int(ExitCode.DRIFT))
