"""The commit that was measured."""

from bench.commands import command

_NOT_THE_PROGRAM = (":!Pulumi.*.yaml", ":!docs/performance.*", ":!docs/images/performance.*")
"""A stack file gets its secrets by `make up`; the others are what a run writes."""


def commit() -> str:
    """Returns the commit's short name, with a `+` behind it where files differ from it."""
    name = command("git", "rev-parse", "--short", "HEAD").strip()
    changed = command("git", "status", "--porcelain", "--", ".", *_NOT_THE_PROGRAM)
    return f"{name}+" if changed.strip() else name
