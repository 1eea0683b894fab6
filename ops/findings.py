"""What a check finds."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class Finding:
    """One line of the verdict."""

    check: str
    state: State
    detail: str
    cause: str = ""
    """The likely cause."""
    command: str = ""
    """What to run next."""


def ok(check: str, detail: str) -> Finding:
    """Returns a finding that all is well."""
    return Finding(check, "ok", detail)


def warning(check: str, detail: str, cause: str = "", command: str = "") -> Finding:
    """Returns a finding that does not break anything yet."""
    return Finding(check, "warning", detail, cause, command)


def failed(check: str, detail: str, cause: str, command: str) -> Finding:
    """Returns a failure with its likely cause and the next command."""
    return Finding(check, "failed", detail, cause, command)
