"""`validate`: is everything there, does it work, and if not, why."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from console.failure import ExitCode
from ops.commands.options import AsJson
from ops.context import target
from ops.findings import Finding
from ops.terminal import print_json, progress, say
from ops.validation import run_all, show


def validate(
    context: typer.Context,
    drift: Annotated[bool, typer.Option(help="Compare with Pulumi's state too.")] = True,
    json: AsJson = False,
) -> None:
    """Check every object, the ways in and a real round trip; one table, one verdict."""
    begin = time.monotonic()
    with progress("Checking"):
        findings = run_all(target(context), drift=drift)
    seconds = time.monotonic() - begin
    wrong = [f for f in findings if f.state == "failed"]
    if json:
        print_json(
            {
                "healthy": not wrong,
                "seconds": round(seconds, 2),
                "findings": [asdict(f) for f in findings],
            }
        )
    else:
        show(findings)
        _verdict(findings, seconds)
    if wrong:
        raise typer.Exit(int(ExitCode.FAILED))


def _verdict(findings: Sequence[Finding], seconds: float) -> None:
    wrong = sum(f.state == "failed" for f in findings)
    notes = sum(f.state == "warning" for f in findings)
    tail = f" ({notes} warning{'s' * (notes != 1)})" if notes else ""
    say("")
    if wrong:
        say(
            f"NOT HEALTHY: {wrong} of {len(findings)} checks failed{tail}, {seconds:.1f} s",
            "bold red",
        )
    else:
        say(f"HEALTHY: {len(findings)} checks passed{tail}, {seconds:.1f} s", "bold green")
