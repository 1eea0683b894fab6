"""The files in which pods read a secret, with kubelets that are late to learn of a change."""

from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ops import secret_files
from ops.kube import Cluster
from ops.retry import ApiError
from ops.secret_files import SecretFiles, digest
from tests.ops.stacks import deployed

SECRET = "new"
PODS = ("backend-a", "backend-b")


class Kubelets:
    """The cluster: how often the kubelet of each pod has to be told until it brings the secret."""

    def __init__(self, *times: int) -> None:
        self.times = dict[str, int](zip(PODS, times, strict=True))
        self.told = Counter[str]()
        self.gone = set[str]()

    def get(self, kind: str, name: str) -> dict[str, Any]:
        return {"kind": kind, "spec": {"selector": {"matchLabels": {"name": name}}}}

    def pods(self, selector: str) -> list[dict[str, Any]]:
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        return [{"metadata": {"name": it}, "status": ready} for it in PODS]

    def patch(self, kind: str, name: str, body: Any) -> None:
        assert body["metadata"]["annotations"]
        if name in self.gone:
            raise ApiError(404, f"pods {name} not found")
        self.told[name] += 1

    def run(self, pod: str, container: str, command: list[str]) -> Any:
        sees = self.told[pod] >= self.times[pod]
        return SimpleNamespace(out=f"{digest(SECRET if sees else 'former')}  {command[1]}\n")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_files, "_SECONDS_TO_LOOK", 0)
    monkeypatch.setattr(secret_files, "_SECONDS", 5)


def files(kubelets: Kubelets) -> SecretFiles:
    return SecretFiles(deployed(), cast("Cluster", kubelets), "databasePassword")


def test_a_kubelet_that_has_looked_too_early_is_told_again() -> None:
    kubelets = Kubelets(1, 3)
    changed = files(kubelets)
    changed.hurry()
    changed.wait(SECRET, everybody=False)
    assert kubelets.told == {"backend-a": 1, "backend-b": 1}
    changed.wait(SECRET, everybody=True)
    assert kubelets.told == {"backend-a": 1, "backend-b": 3}


def test_a_pod_that_is_gone_by_then_is_none_to_tell() -> None:
    kubelets = Kubelets(1, 1)
    kubelets.gone = {"backend-a"}
    files(kubelets).hurry()
    assert kubelets.told == {"backend-b": 1}
