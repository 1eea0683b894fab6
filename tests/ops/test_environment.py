"""The environment in which operations run Pulumi."""

from pathlib import Path

import pytest

from distribution.cluster import node
from ops.environment import environment_of

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize("mine", ["", "/mine/prod.yaml"])
def test_another_stacks_kubeconfig_is_left_out(mine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [file for file in (mine, str(node.kubeconfig())) if file]
    monkeypatch.setenv("KUBECONFIG", ":".join(files))
    assert environment_of(PROJECT, "cloud").get("KUBECONFIG", "") == mine
