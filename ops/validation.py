"""Runs checks, and prints what they found."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from rich.text import Text

from console.failure import Failure
from ops.checks import CHECKS, Check, Facts
from ops.context import Target
from ops.drift import drift_findings
from ops.findings import Finding, failed
from ops.invocation import told
from ops.round_trip import addresses, round_trip
from ops.terminal import out, say

_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failed": ("✗", "bold red")}


def run_all(to: Target, *, drift: bool) -> list[Finding]:
    """Runs all checks.

    Args:
        to: The stack.
        drift: Whether it is compared with Pulumi's state too.
    """
    checks: list[Check] = [*CHECKS, addresses, round_trip]
    if drift:
        checks.append(drift_findings)
    return run(to, checks)


def run(to: Target, checks: Sequence[Check]) -> list[Finding]:
    """Runs checks at once and returns what they found, in their order."""
    facts = Facts(to.stack, to.cluster)
    # Read before the checks share them; this also finds out whether the cluster answers at all.
    _ = facts.pods, facts.events, facts.workloads
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


def show(findings: Sequence[Finding]) -> None:
    """Prints a line for each finding, with its likely cause and what to run next."""
    width = max(len(f.check) for f in findings)
    for finding in findings:
        mark, style = _MARKS[finding.state]
        line = Text.assemble((mark, style), f" {finding.check:<{width}}  {told(finding.detail)}")
        out.print(line, soft_wrap=True)
        if finding.cause:
            say(f"  {'':<{width}}  likely: {finding.cause}", "dim")
        if finding.command:
            say(f"  {'':<{width}}  next:   {finding.command}", "cyan")
