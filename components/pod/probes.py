"""How the kubelet finds out whether a container has started, works, and may get requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import pulumi_kubernetes as k8s

core = k8s.core.v1


@dataclass(frozen=True, kw_only=True)
class _Timing:
    """When a probe is made and when it has failed; Kubernetes' defaults but for the timeout."""

    period: int = 10
    """Seconds from one probe to the next."""
    timeout: int = 3
    """Seconds until a probe without an answer has failed."""
    failures: int = 3
    """How many fail one after the other before something is done."""


@dataclass(frozen=True)
class HttpProbe(_Timing):
    """Succeeds when a GET request is answered with a status from 200 to 399."""

    path: str
    port: str | int = "http"
    """A port's name or number."""


@dataclass(frozen=True)
class TcpProbe(_Timing):
    """Succeeds when a connection is accepted."""

    port: str | int = "http"
    """A port's name or number."""


@dataclass(frozen=True)
class ExecProbe(_Timing):
    """Succeeds when a command in the container ends with 0."""

    command: Sequence[str]


@dataclass(frozen=True)
class NoProbe:
    """Always succeeds: nothing is asked."""


Probe = HttpProbe | TcpProbe | ExecProbe | NoProbe


def probe_args(probe: Probe) -> core.ProbeArgs | None:
    """Returns a probe as a container has it."""
    match probe:
        case HttpProbe():
            http = core.HTTPGetActionArgs(path=probe.path, port=probe.port)
            return _timed(probe, http_get=http)
        case TcpProbe():
            return _timed(probe, tcp_socket=core.TCPSocketActionArgs(port=probe.port))
        case ExecProbe():
            return _timed(probe, exec_=core.ExecActionArgs(command=list(probe.command)))
        case NoProbe():
            return None
        case _:
            assert_never(probe)


def _timed(
    timing: _Timing,
    *,
    http_get: core.HTTPGetActionArgs | None = None,
    tcp_socket: core.TCPSocketActionArgs | None = None,
    exec_: core.ExecActionArgs | None = None,
) -> core.ProbeArgs:
    return core.ProbeArgs(
        http_get=http_get,
        tcp_socket=tcp_socket,
        exec_=exec_,
        period_seconds=timing.period,
        timeout_seconds=timing.timeout,
        failure_threshold=timing.failures,
    )
