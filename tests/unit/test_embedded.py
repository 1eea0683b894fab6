"""The embedded cluster says when it cannot be had."""

import os
import sys
from pathlib import Path

import pytest

from console.failure import Failure
from distribution.cluster import node


def test_the_embedded_cluster_says_that_it_needs_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Failure, match="sudo make up"):
        node.check()


def test_a_machine_without_any_cluster_is_told_what_installs_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(Failure, match=r"Linux only; install Minikube \(`brew install minikube`"):
        node.check()


def test_a_cluster_whose_files_were_deleted_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(node, "check", lambda: None)
    monkeypatch.setattr(node, "running", lambda: True)
    monkeypatch.setattr(node, "_ROOT", tmp_path)
    with pytest.raises(Failure, match="make cluster-down"):
        node.start(tmp_path)


def test_another_clones_cluster_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(node, "_alive", lambda: 1)
    monkeypatch.setattr(node, "_owner", lambda: "/elsewhere/.local/cluster")
    with pytest.raises(
        Failure, match=r"/elsewhere/.local/cluster runs already; run `make cluster-stop`"
    ):
        node.check()
