"""What pods use of what they ask for, as the metrics API measures it, and what to make of it.

It measures the last quarter of a minute or so and keeps nothing: what is said here holds for the
load that there is now.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Any, cast

from kubernetes import utils

from cluster_objects.json_tree import Json, part, parts
from ops.kube import Cluster
from ops.retry import ApiError

_API = "v1beta1.metrics.k8s.io"
_NEAR = Decimal("0.9")
"""From this share of a limit on, a little more load is over it."""
_MARGIN = Decimal("1.15")
"""What is recommended over what is used: as the VerticalPodAutoscaler's recommender has it
(--recommendation-margin-fraction)."""
_IDLE = Decimal("0.5")
"""Below this share of what it asks for, memory is set aside that others could use."""
_MEBIBYTE = 1024**2


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What one pod uses, asks for and may use at most: cores, and bytes."""

    pod: str
    cpu: Decimal
    cpu_request: Decimal | None
    cpu_limit: Decimal | None
    memory: Decimal
    memory_request: Decimal | None
    memory_limit: Decimal | None
    window: str
    """How long was measured, such as `15s`."""


def measured(cluster: Cluster, pods: list[Json]) -> list[Usage]:
    """Returns what these pods use; nothing where there is no metrics API, or it may not be asked.

    Pods that have just started are not measured yet.
    """
    try:
        service = cluster.find("APIService", _API, api_version="apiregistration.k8s.io/v1")
        conditions = parts(service, "status", "conditions")
        if not any(c["type"] == "Available" and c["status"] == "True" for c in conditions):
            return []
        found = {it["metadata"]["name"]: it for it in cluster.items("PodMetrics")}
    except ApiError:
        return []
    return [
        usage_of(pod, found[name]) for pod in pods if (name := pod["metadata"]["name"]) in found
    ]


def usage_of(pod: Json, metrics: Json) -> Usage:
    """Returns what a pod uses.

    Args:
        pod: The pod.
        metrics: Its PodMetrics.
    """
    used = [part(it, "usage") for it in parts(metrics, "containers")]
    wanted = parts(pod, "spec", "containers")
    requests = [part(it, "resources", "requests") for it in wanted]
    limits = [part(it, "resources", "limits") for it in wanted]
    return Usage(
        pod=pod["metadata"]["name"],
        cpu=_total(used, "cpu") or Decimal(0),
        cpu_request=_total(requests, "cpu"),
        cpu_limit=_total(limits, "cpu"),
        memory=_total(used, "memory") or Decimal(0),
        memory_request=_total(requests, "memory"),
        memory_limit=_total(limits, "memory"),
        window=str(metrics.get("window") or "?"),
    )


def advice(usage: Usage) -> Iterator[str]:
    """Yields what could be set otherwise, in the words of `resources` in the settings."""
    memory, cpu = usage.memory, usage.cpu
    if usage.memory_limit and memory >= _NEAR * usage.memory_limit:
        yield f"memoryLimit {_recommended(memory)} or more: it is killed at its limit"
    if usage.memory_request and memory > usage.memory_request:
        yield f"memoryRequest {_recommended(memory)}: who uses more is evicted first"
    elif usage.memory_request and memory < _IDLE * usage.memory_request:
        yield f"memoryRequest {_recommended(memory)} would do"
    if usage.cpu_limit and cpu >= _NEAR * usage.cpu_limit:
        yield "more cpuLimit, or more pods: it is slowed down at its limit"
    elif usage.cpu_request and cpu > usage.cpu_request:
        yield f"cpuRequest {_millicores(cpu * _MARGIN)}: a busy node gives no more than that"


def described(usage: Usage) -> Mapping[str, object]:
    """Returns a usage as JSON has it: millicores and MiB."""
    return {
        "pod": usage.pod,
        "window": usage.window,
        "cpuMillicores": _milli(usage.cpu),
        "cpuRequestMillicores": _milli(usage.cpu_request),
        "cpuLimitMillicores": _milli(usage.cpu_limit),
        "memoryMebibytes": _mebibytes(usage.memory),
        "memoryRequestMebibytes": _mebibytes(usage.memory_request),
        "memoryLimitMebibytes": _mebibytes(usage.memory_limit),
        "advice": [*advice(usage)],
    }


def row(usage: Usage) -> list[str]:
    """Returns a usage as a line of a table: used, asked for, at most."""
    cpu = (usage.cpu, usage.cpu_request, usage.cpu_limit)
    memory = (usage.memory, usage.memory_request, usage.memory_limit)
    return [
        usage.pod,
        " / ".join(_millicores(it) for it in cpu),
        " / ".join("—" if it is None else f"{_mebibytes(it)}Mi" for it in memory),
        "; ".join(advice(usage)),
    ]


def _total(containers: list[Json], resource: str) -> Decimal | None:
    """Returns what the containers have together; None where one of them names nothing."""
    amounts: list[Any] = [it.get(resource) for it in containers]
    if not amounts or None in amounts:
        return None
    parse = cast("Any", utils).parse_quantity
    return sum((Decimal(parse(it)) for it in amounts), Decimal(0))


def _recommended(octets: Decimal) -> str:
    """Returns memory with the margin, in steps of 16 MiB."""
    return f"{ceil(octets * _MARGIN / (16 * _MEBIBYTE)) * 16}Mi"


def _millicores(cores: Decimal | None) -> str:
    return "—" if cores is None else f"{_milli(cores)}m"


def _milli(cores: Decimal | None) -> int | None:
    return None if cores is None else ceil(cores * 1000)


def _mebibytes(octets: Decimal | None) -> int | None:
    return None if octets is None else ceil(octets / _MEBIBYTE)
