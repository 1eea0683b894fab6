"""The probes of an AppDeployment, where its arguments leave them open."""

from dataclasses import replace

from ..pod.probes import HttpProbe, NoProbe, Probe


def liveness_probe(given: Probe | None, port: int | None) -> Probe:
    """Returns whether the process works: the given probe, else HTTP where there is a port."""
    return given or (HttpProbe("/health") if port else NoProbe())


def readiness_probe(given: Probe | None, port: int | None) -> Probe:
    """Returns whether requests can be served: the given probe, else HTTP where there is a port."""
    return given or (HttpProbe("/ready", period=5) if port else NoProbe())


def startup_probe(given: Probe | None, liveness: Probe | None, port: int | None) -> Probe:
    """Returns whether the process has started: the given probe, else what liveness asks.

    That one is asked often, so that a pod is ready soon, and for up to two minutes.
    """
    if given:
        return given
    working = liveness_probe(liveness, port)
    if isinstance(working, NoProbe):
        return working
    return replace(working, period=2, failures=60)
