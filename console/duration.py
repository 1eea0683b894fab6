"""Durations as people read them."""


def duration(seconds: float) -> str:
    """Returns seconds as `4.2 s` or `3 min 05 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"
