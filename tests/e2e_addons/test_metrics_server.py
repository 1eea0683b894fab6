"""metrics-server: what pods use is known, and an autoscaler goes by it."""

import json
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.commands import how_it_ended
from tests.e2e.deployment import Deployment
from tests.e2e.traffic import Traffic
from tests.e2e_addons.load import Load
from tests.waiting import until


def backend_settings(deployment: Deployment) -> dict[str, Any]:
    """What the stack file says of the backend."""
    text = Path(deployment.project, f"Pulumi.{deployment.stack}.yaml").read_text()
    return yaml.safe_load(text)["config"]["todo:settings"]["backend"]


def backends(deployment: Deployment) -> set[str]:
    return set(deployment.pods("backend").values())


def assert_nothing_to_change(deployment: Deployment) -> None:
    done = deployment.pulumi("preview", "--expect-no-changes", "--refresh")
    assert done.returncode == 0, how_it_ended(done)


def test_status_says_what_each_pod_uses_of_what_it_asks_for(deployment: Deployment) -> None:
    def usages() -> list[dict[str, int]]:
        done = deployment.ops("status", "--json")
        assert done.returncode == 0, how_it_ended(done)
        return json.loads(done.stdout)["usage"]

    until("all pods measured", lambda: {it["pod"] for it in usages()} >= {*deployment.pods()}, 90)
    for it in usages():
        assert 0 < it["memoryMebibytes"] < it["memoryLimitMebibytes"]
        assert it["cpuMillicores"] < it["cpuLimitMillicores"]
    requested = backend_settings(deployment)["resources"]["cpuRequest"]
    pattern = rf"^backend-\S+\t\d+m / {requested} / "
    assert re.search(pattern, deployment.ops("status").stdout, re.M)


def test_load_takes_the_backend_from_two_pods_to_five_and_back_without_a_failed_request(
    deployment: Deployment,
) -> None:
    until("two pods without load", lambda: len(backends(deployment)) == 2, 300)
    at_first = backends(deployment)
    with Traffic(deployment) as traffic:
        with Load(deployment, clients=6) as load:
            until("five pods under load", lambda: len(backends(deployment)) == 5, 300)
            deployment.wait_ready()
            most = backends(deployment)
            assert_nothing_to_change(deployment)
            deployment.up()
            assert backends(deployment) == most, "an update changed what the autoscaler had made"
        assert at_first <= most
        until("two pods after the load", lambda: len(backends(deployment)) == 2, 400)
        assert_nothing_to_change(deployment)
    assert load.failures == []
    assert load.answered > 100
    traffic.assert_unharmed()


class Replicas(threading.Thread):
    """The smallest number of pods that the Deployment wanted while it was looked at."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(daemon=True)
        self.fewest, self._deployment, self._done = 99, deployment, threading.Event()

    def run(self) -> None:
        while not self._done.wait(0.5):
            spec = self._deployment.objects("deployment/backend")["spec"]
            self.fewest = min(self.fewest, spec["replicas"])

    def __enter__(self) -> "Replicas":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join()


def scale(workspace: Deployment, scaling: Mapping[str, object]) -> None:
    file = Path(workspace.project, f"Pulumi.{workspace.stack}.yaml")
    document = yaml.safe_load(file.read_text())
    document["config"]["todo:settings"]["backend"]["scaling"] = scaling
    file.write_text(yaml.safe_dump(document))
    workspace.up()


@pytest.mark.parametrize("replicas", [2, 3])
def test_between_a_fixed_number_and_an_autoscaler_the_pods_that_run_go_on(
    deployment: Deployment, workspace: Deployment, replicas: int
) -> None:
    until("two pods without load", lambda: len(backends(deployment)) == 2, 300)
    autoscaled = backends(deployment)
    scaling = backend_settings(deployment)["scaling"]
    with Traffic(deployment) as traffic, Replicas(deployment) as seen:
        scale(workspace, {"mode": "fixed", "replicas": replicas})
        deployment.wait_ready()
        fixed = backends(deployment)
        assert len(fixed) == replicas
        assert autoscaled <= fixed
        assert deployment.objects("horizontalpodautoscalers")["items"] == []
        scale(workspace, scaling)
        assert autoscaled <= backends(deployment)
        assert_nothing_to_change(workspace)
    assert seen.fewest >= 2
    traffic.assert_unharmed()
