"""`drift`: what was changed behind Pulumi's back."""

from dataclasses import asdict
from typing import Annotated

import typer

from console.failure import ExitCode, Failure
from ops.commands.options import AsJson
from ops.context import target
from ops.drift import Difference, find_drift
from ops.repair import REPAIR
from ops.terminal import print_json, progress, say, table
from ops.verdicts import note_drift


def drift(
    context: typer.Context,
    full: Annotated[
        bool, typer.Option("--full", help="Compare with the program too (slower).")
    ] = False,
    record: Annotated[
        bool,
        typer.Option("--record", help="Note on the cluster what was found, for alerts."),
    ] = False,
    json: AsJson = False,
) -> None:
    """Show what differs from Pulumi's state; changes nothing.

    Exit code 5: something does. 3: it could not be looked. 1: it was looked, and not be noted.
    """
    to = target(context)
    try:
        with progress("Comparing the cluster with Pulumi's state"):
            found = find_drift(to.stack, full=full)
    except Failure as failure:
        # Whoever runs this by schedule has to tell it from what was found.
        raise Failure(str(failure), ExitCode.UNREACHABLE) from None
    _show(found, json=json)
    if record:
        note_drift(to.cluster, to.stack.contract, found=bool(found))
    if found:
        raise typer.Exit(int(ExitCode.DRIFT))


def _show(found: list[Difference], *, json: bool) -> None:
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
