"""`validate`: is everything there, does it work, and if not, why."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from console.failure import ExitCode, Failure
from ops.checks import CHECKS, Check, Facts
from ops.commands.options import AsJson
from ops.context import Target, target
from ops.drift import drift_findings
from ops.findings import Finding, failed
from ops.round_trip import addresses, round_trip
from ops.terminal import out, print_json, progress, say

_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failed": ("✗", "bold red")}


def validate(
    context: typer.Context,
    drift: Annotated[bool, typer.Option(help="Compare with Pulumi's state too.")] = True,
    json: AsJson = False,
) -> None:
    """Check every object, the ways in and a real round trip; one table, one verdict."""
    begin = time.monotonic()
    with progress("Checking"):
        findings = run_checks(target(context), drift=drift)
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
        _show(findings, seconds)
    if wrong:
        raise typer.Exit(int(ExitCode.FAILED))


def run_checks(to: Target, *, drift: bool) -> list[Finding]:
    """Runs all checks at once and returns what they found, in their order."""
    facts = Facts(to.stack, to.cluster)
    # Read before the checks share them; this also finds out whether the cluster answers at all.
    _ = facts.pods, facts.events, facts.workloads
    checks: list[Check] = [*CHECKS, addresses, round_trip]
    if drift:
        checks.append(drift_findings)

    with ThreadPoolExecutor(len(checks)) as pool:
        done = [pool.submit(_run, check, facts) for check in checks]
    return [finding for future in done for finding in future.result()]


def _run(check: Check, facts: Facts) -> list[Finding]:
    def found() -> Iterator[Finding]:
        try:
            yield from check(facts)
        except Failure as failure:
            yield failed(
                check.__name__.replace("_", " "),
                str(failure),
                "the check itself could not run",
                "python -m ops status",
            )

    return list(found())


def _show(findings: list[Finding], seconds: float) -> None:
    width = max(len(f.check) for f in findings)
    for finding in findings:
        mark, style = _MARKS[finding.state]
        line = Text.assemble((mark, style), f" {finding.check:<{width}}  {finding.detail}")
        out.print(line, soft_wrap=True)
        if finding.cause:
            say(f"  {'':<{width}}  likely: {finding.cause}", "dim")
        if finding.command:
            say(f"  {'':<{width}}  next:   {finding.command}", "cyan")
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
