"""Where VictoriaLogs and vlagent say how they are."""

from typing import Final

from components.pod.probes import HttpProbe

_PERIOD = 2
READINESS: Final = HttpProbe("/health", period=5)
LIVENESS: Final = HttpProbe("/-/healthy", period=15, failures=4)
"""Unlike the other it says yes also while the process ends."""


def startup(*, seconds: int) -> HttpProbe:
    """Returns the probe until it has started.

    Args:
        seconds: How long that may take.
    """
    return HttpProbe("/health", period=_PERIOD, failures=seconds // _PERIOD)
