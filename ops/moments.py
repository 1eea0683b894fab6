"""A moment that somebody names, and whether the database can be brought back to it."""

from datetime import UTC, datetime

from console.failure import ExitCode, Failure


def moment(text: str) -> datetime:
    """Returns a time of RFC 3339 with its zone, such as `2026-01-31T09:00:00Z`, in UTC.

    Raises:
        Failure: It is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or "T" not in text.upper().replace(" ", "T"):
        raise Failure(
            f"--to {text} is no time with a zone; write it as 2026-01-31T09:00:00Z or "
            "2026-01-31T10:00:00+01:00.",
            ExitCode.USAGE,
        )
    return found.astimezone(UTC)


def require_recoverable(when: datetime, first: datetime | None, now: datetime) -> None:
    """Checks that a moment lies in what was archived.

    Args:
        when: The moment.
        first: The earliest that can be recovered; None: there is no base backup.
        now: The latest.

    Raises:
        Failure: It lies before or after that.
    """
    if when > now:
        raise Failure(
            f"{written(when)} has not come yet (it is {written(now)}); name an earlier moment.",
            ExitCode.USAGE,
        )
    if first is None:
        raise Failure(
            "There is no base backup yet, so no moment can be recovered; make one: python -m ops "
            "backup",
            ExitCode.USAGE,
        )
    if when < first:
        raise Failure(
            f"{written(when)} is before the first base backup, which ended {written(first)}; name "
            "a later moment.",
            ExitCode.USAGE,
        )


def written(when: datetime) -> str:
    """Returns a moment in UTC, with fractions of a second where it has some."""
    text = when.astimezone(UTC).isoformat()
    return text.replace("+00:00", "Z")
