"""`history`: what was deployed when, and from which commit."""

from dataclasses import asdict, dataclass
from datetime import UTC
from typing import Annotated

import typer
from pulumi.automation import OpType, UpdateSummary
from rich.text import Text

from console.duration import age, seconds_since
from ops.commands.options import AsJson
from ops.context import target
from ops.terminal import print_json, say, table


@dataclass(frozen=True)
class Update:
    """One run of `pulumi up`, `refresh` or `destroy`."""

    version: int
    kind: str
    started: str
    """UTC, as in `2026-01-31T09:00:00.000Z`."""
    result: str
    commit: str
    """Full hash; empty outside a git repository."""
    uncommitted: bool
    """Whether files differed from the commit, the stack file with its secrets among them."""
    message: str
    """The update's message, which is the commit's title unless one was given."""
    changes: dict[str, int]
    """Operation to number of resources, unchanged ones left out."""


def history(
    context: typer.Context,
    number: Annotated[int, typer.Option("-n", min=1, help="How many, from the newest.")] = 10,
    json: AsJson = False,
) -> None:
    """Show what was deployed when, newest first; how to go back to a commit."""
    updates = [update_of(it) for it in target(context).stack.pulumi.history(number)]
    if json:
        print_json([asdict(update) for update in updates])
        return
    table(["UPDATE", "WHEN", "RESULT", "COMMIT", "CHANGED", "MESSAGE"], [*map(_row, updates)])
    if any(update.commit for update in updates):
        say("")
        say("go back to a commit's images: git checkout <commit> -- apps && pulumi up")


def update_of(summary: UpdateSummary) -> Update:
    """Returns an update as Pulumi remembers it."""
    changes = summary.resource_changes or {}
    started = summary.start_time.replace(tzinfo=UTC)
    return Update(
        version=summary.version or 0,
        kind=summary.kind,
        started=started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        result=summary.result,
        commit=summary.environment.get("git.head", ""),
        uncommitted=summary.environment.get("git.dirty") == "true",
        message=summary.message,
        changes={OpType(op).value: count for op, count in changes.items() if op != OpType.SAME},
    )


def _row(update: Update) -> list[str | Text]:
    colour = {"succeeded": "green", "failed": "red"}.get(update.result, "yellow")
    changed = ", ".join(f"{count} {kind}" for kind, count in update.changes.items())
    return [
        update.kind + f" {update.version}" * bool(update.version),
        f"{age(seconds_since(update.started))} ago",
        Text(update.result, style=colour),
        (update.commit[:10] or "—") + "+" * update.uncommitted,
        changed or "nothing",
        update.message,
    ]
