"""What set-up is tested on: a machine with stand-ins for its tools, or a clone with stacks."""

import compileall
import json
import os
import platform
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.answering import programs
from tests.unit.clone import EMBEDDED, LOCAL, MANAGED, PROJECT, Clone, deployed, in_namespace, thing
from tests.unit.fake_tools import Tools, clean_environment
from tests.unit.stand_ins import StandIns
from toolchain import paths, ui


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Tools]:
    """A Linux machine of native Docker's host name, a clone, and the tools that a test installs."""
    local = tmp_path / "clone" / ".local"
    local.mkdir(parents=True)
    monkeypatch.setattr(paths, "LOCAL", local)
    monkeypatch.setattr(paths, "DOCKER_CONFIG", local / "docker")
    monkeypatch.setattr(paths, "BUILDX_CONFIG", local / "buildx")
    (tmp_path / "home").mkdir()
    clean_environment(monkeypatch, tmp_path / "home")
    monkeypatch.setattr(socket, "gethostname", lambda: "vm")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "release", lambda: "6.12.0-generic")
    machine = Tools(tmp_path, monkeypatch)
    yield machine
    ui.STEPS.clear()
    assert not machine.unanswered


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone, compiled once: whatever copies it is spared that, which is most of a command."""
    folder = tmp_path_factory.mktemp("template")
    left_out = shutil.ignore_patterns(
        "modules", "base_images", "addon_images", "Pulumi*.yaml", "__pycache__"
    )
    packages = ("addons", "cluster_objects", "components", "console", "distribution")
    for package in (*packages, "stack_settings", "toolchain"):
        shutil.copytree(PROJECT / package, folder / package, ignore=left_out)
    assert compileall.compile_dir(folder, quiet=1)
    return folder


@pytest.fixture
def clone(tmp_path: Path, template: Path) -> Iterator[Clone]:
    folder, answers = tmp_path / "clone", tmp_path / "answers"
    answers.mkdir()
    # Links to files that nobody writes to: a copy takes longer than what is tested.
    shutil.copytree(template, folder, copy_function=os.link)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    with programs(answers, ("pulumi", "kubectl"), StandIns(answers).answer):
        yield Clone(folder, answers)


@pytest.fixture
def cloud(clone: Clone) -> Clone:
    """A stack on a managed cluster, which is not the kubeconfig's current one."""
    clone.stack("cloud", MANAGED)
    objects = in_namespace("cloud")
    clone.state("cloud", *deployed(*objects[:1], context="shop-cluster"))
    clone.cluster("shop-cluster", *objects, thing("Namespace", "todo-app"))
    clone.cluster("current", thing("Namespace", "todo-app"), thing("Namespace", "shop"))
    return clone


@pytest.fixture
def local(clone: Clone) -> Clone:
    """A stack in the embedded cluster, which has nothing else in it."""
    clone.stack("minikube", LOCAL)
    kubeconfig = clone.embedded()
    found = {"cluster": {"kubeconfig": kubeconfig, "context": EMBEDDED}}
    (clone.folder / ".local" / "settings.minikube.json").write_text(json.dumps(found))
    objects = in_namespace("minikube")
    state = deployed(*objects[:1], context=EMBEDDED, kubeconfig=kubeconfig)
    clone.state("minikube", *state)
    clone.cluster(EMBEDDED, *objects, thing("Namespace", "kube-system"))
    return clone
