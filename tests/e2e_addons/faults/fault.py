"""A fault, and the pods of which most are made."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.e2e_addons.alerting import kubectl

WELL = "/tmp/well"  # noqa: S108 - in a container of its own
"""A file by which a container knows that nothing is wrong any more."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that is wrong until it is mended."""

    namespace: str
    """Which the alert names."""
    summary: str
    """What people are told, or a part of it."""
    mend: Callable[[], object]


def python_container(name: str, image: str, script: str) -> dict[str, Any]:
    """A container that runs a script."""
    return {"name": name, "image": image, "command": ["python", "-c", script]}


def make_pod(
    namespace: str,
    name: str,
    containers: list[dict[str, Any]],
    *,
    metrics: int | None = None,
    volumes: list[dict[str, Any]] | None = None,
) -> None:
    """Makes a pod; with a port Prometheus asks it there."""
    annotations = {"prometheus.io/scrape": "true", "prometheus.io/port": str(metrics)}
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": {"app.kubernetes.io/name": name},
            "annotations": annotations if metrics else {},
        },
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "containers": containers,
            "volumes": volumes or [],
        },
    }
    kubectl("-n", namespace, "apply", "-f", "-", text=json.dumps(body))


def say_well(namespace: str, target: str, container: str) -> None:
    """Tells a container that nothing is wrong any more."""
    script = f"open({WELL!r}, 'w')"
    kubectl("-n", namespace, "exec", target, "-c", container, "--", "python", "-c", script)
