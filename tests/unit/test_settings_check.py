"""What `make up` takes of an earlier one's findings before it looks again."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.recording import ROOT
from toolchain import settings_check

FOUND = {
    "cluster": {"provider": "kind", "name": "todo", "context": "kind-todo"},
    "images": {"mode": "load", "builder": {"name": "default", "exporter": "archive"}},
}


def place_of(
    folder: Path, capsys: pytest.CaptureFixture[str], cluster: dict[str, Any], **more: Any
) -> dict[str, Any]:
    """Where settings lead to that were changed after a `make up`."""
    (folder / ".local").mkdir()
    (folder / ".local" / "settings.minikube.json").write_text(json.dumps(FOUND))
    file = folder / "Pulumi.minikube.yaml"
    settings = {"cluster": {"kind": "local"} | cluster, "images": {"mode": "load"}} | more
    file.write_text(yaml.safe_dump({"config": {"todo:settings": settings}}))
    code = settings_check.main("minikube", str(file))
    printed = capsys.readouterr()
    assert code == 0, printed.err
    return json.loads(printed.out)["place"]


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("cluster", [{}, {"provider": "auto"}, {"nodeAddress": "10.1.2.3"}])
def test_settings_that_leave_the_cluster_open_lead_to_the_one_that_was_found(
    cluster: dict[str, Any], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place_of(folder, capsys, cluster)["context"] == "kind-todo"


@pytest.mark.parametrize(
    ("cluster", "context"),
    [
        ({"provider": "embedded"}, None),
        ({"provider": "dockerDesktop"}, None),
        ({"provider": "minikube"}, None),
        ({"name": "work"}, None),
        ({"provider": "context", "context": "mine"}, "mine"),
    ],
)
def test_settings_that_name_another_cluster_are_not_measured_by_the_one_before(
    cluster: dict[str, Any],
    context: str | None,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert place_of(folder, capsys, cluster)["context"] == context


def test_settings_that_have_become_managed_are_not_measured_by_the_one_before(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = {"mode": "prebuilt", "backend": "b:1", "frontend": "f:1"}
    assert place_of(folder, capsys, {"kind": "managed"}, images=images)["context"] is None


def test_settings_are_checked_without_pulumi_whose_import_takes_longer_than_the_check() -> None:
    program = "import sys, toolchain.settings_check; print(*sys.modules)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(done.stdout.split())
    assert "pydantic" in loaded
    assert not loaded & {"pulumi", "pulumi_kubernetes", "docker", "kubernetes"}
