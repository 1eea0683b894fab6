"""Durations as people read them."""

from datetime import UTC, datetime


def duration(seconds: float) -> str:
    """Returns seconds as `4.2 s` or `3 min 05 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


def age(seconds: float) -> str:
    """Returns seconds as the largest fitting unit: `42 s`, `17 min`, `5 h`, `3 d`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def seconds_since(timestamp: str) -> float:
    """Returns the seconds since a time as Kubernetes and Pulumi write it (RFC 3339)."""
    return (datetime.now(UTC) - datetime.fromisoformat(timestamp)).total_seconds()
