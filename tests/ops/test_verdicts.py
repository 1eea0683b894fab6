"""What drills and looks for drift note on the cluster, and that the alerts go by the same notes."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from console.failure import Failure
from ops.kube import Cluster
from ops.verdicts import DRIFT, note_drift
from tests.ops.stacks import deployed


def test_drift_is_noted_on_a_deployment_of_the_stack() -> None:
    noted: list[tuple[str, str, Any]] = []
    cluster = cast("Cluster", SimpleNamespace(patch=lambda *args: noted.append(args)))
    for found in (True, False):
        note_drift(cluster, deployed().contract, found=found)
    assert [(kind, name) for kind, name, _ in noted] == [("Deployment", "backend")] * 2
    values = [body["metadata"]["annotations"] for *_, body in noted]
    assert values == [{DRIFT: "found"}, {DRIFT: "none"}]


def test_a_stack_without_a_deployment_is_told_that_there_is_no_place_for_the_note() -> None:
    contract = deployed().contract.model_copy(update={"services": ()})
    with pytest.raises(Failure, match="leave out --record"):
        note_drift(cast("Cluster", SimpleNamespace()), contract, found=True)
