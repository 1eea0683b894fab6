"""What pods use of what they ask for, and what is recommended."""

from typing import Any

import pytest

from ops.kube import Cluster
from ops.retry import ApiError
from ops.usage import advice, described, measured, usage_of

AVAILABLE = {"status": {"conditions": [{"type": "Available", "status": "True"}]}}


def pod() -> Any:
    resources = {
        "requests": {"cpu": "50m", "memory": "128Mi"},
        "limits": {"cpu": "500m", "memory": "256Mi"},
    }
    return {"metadata": {"name": "backend-1"}, "spec": {"containers": [{"resources": resources}]}}


def metrics(cpu: str, memory: str) -> Any:
    container = {"name": "backend", "usage": {"cpu": cpu, "memory": memory}}
    return {"metadata": {"name": "backend-1"}, "window": "15s", "containers": [container]}


def said(cpu: str, memory: str) -> str:
    return "; ".join(advice(usage_of(pod(), metrics(cpu, memory))))


def test_what_fits_needs_no_advice() -> None:
    assert said("20000000n", "98304Ki") == ""


@pytest.mark.parametrize(
    ("cpu", "memory", "expected"),
    [
        ("1m", "240Mi", "memoryLimit 288Mi or more"),
        ("1m", "150Mi", "memoryRequest 176Mi: who uses more is evicted first"),
        ("1m", "40Mi", "memoryRequest 48Mi would do"),
        ("480m", "100Mi", "more cpuLimit, or more pods"),
        ("100m", "100Mi", "cpuRequest 115m: a busy node gives no more"),
    ],
)
def test_what_does_not_fit_is_said_with_what_would(cpu: str, memory: str, expected: str) -> None:
    assert expected in said(cpu, memory)


def test_a_pod_is_counted_with_all_its_containers() -> None:
    two, measured_two = pod(), metrics("10m", "10Mi")
    two["spec"]["containers"] *= 2
    measured_two["containers"] *= 2
    found = described(usage_of(two, measured_two))
    assert (found["cpuMillicores"], found["cpuRequestMillicores"]) == (20, 100)
    assert (found["memoryMebibytes"], found["memoryLimitMebibytes"]) == (20, 512)


def test_without_a_limit_nothing_is_near_it() -> None:
    unbounded = pod()
    del unbounded["spec"]["containers"][0]["resources"]["limits"]
    assert [*advice(usage_of(unbounded, metrics("9", "120Mi")))] == [
        "cpuRequest 10350m: a busy node gives no more than that"
    ]


class TestMeasuring:
    def ask(self, monkeypatch: pytest.MonkeyPatch, service: Any, items: Any) -> list[str]:
        def answer(value: Any) -> Any:
            if isinstance(value, Exception):
                raise value
            return value

        monkeypatch.setattr(Cluster, "__init__", lambda _: None)
        monkeypatch.setattr(Cluster, "find", lambda *_, **__: answer(service))
        monkeypatch.setattr(Cluster, "items", lambda *_, **__: answer(items))
        return [it.pod for it in measured(Cluster(), [pod()])]  # pyright: ignore[reportCallIssue]

    def test_tells_what_the_metrics_api_has(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self.ask(monkeypatch, AVAILABLE, [metrics("1m", "1Mi")])
        assert found == ["backend-1"]

    @pytest.mark.parametrize(
        ("service", "items"),
        [
            (None, ApiError(404, "there is no kind PodMetrics")),
            ({"status": {}}, ApiError(503, "the server is currently unable")),
            (ApiError(403, "forbidden"), []),
            (AVAILABLE, ApiError(403, "forbidden")),
            (AVAILABLE, []),
        ],
        ids=["no metrics API", "not available", "not to be asked", "not to be read", "new pods"],
    )
    def test_is_silent_without(
        self, monkeypatch: pytest.MonkeyPatch, service: Any, items: Any
    ) -> None:
        assert self.ask(monkeypatch, service, items) == []
