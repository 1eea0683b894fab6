"""The environment in which operations run Pulumi."""

from pathlib import Path

import pytest

from distribution.cluster import node
from ops.pulumi_command import Pulumi

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize("mine", ["", "/mine/prod.yaml"])
def test_another_stacks_kubeconfig_is_left_out(mine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [file for file in (mine, str(node.kubeconfig())) if file]
    monkeypatch.setenv("KUBECONFIG", ":".join(files))
    assert Pulumi(PROJECT, "cloud").environment.get("KUBECONFIG", "") == mine
