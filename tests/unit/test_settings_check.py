"""What `make up` takes of an earlier one's findings before it looks again."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.failure import Failure
from tests.recording import ROOT
from toolchain import paths, settings_check
from toolchain.document import REFUSED, Document

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


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (b"config:\n\ttodo:settings: {}\n", r"as YAML \(line 2: found character .*\)"),
        (b"config: [\n", r"as YAML \(line 2: .*\)"),
        (b"config: \xff\n", r"\('utf-8' codec .*\)"),
    ],
)
def test_a_stack_file_that_is_no_yaml_is_one_sentence(
    written: bytes, reason: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "Pulumi.minikube.yaml"
    file.write_bytes(written)
    assert settings_check.main("minikube", str(file)) == REFUSED
    said = (
        rf"Pulumi\.minikube\.yaml cannot be read {reason}; correct it .*; nothing was changed\.\n"
    )
    assert re.fullmatch(said, capsys.readouterr().err)


def test_findings_that_are_no_json_are_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / ".local").mkdir()
    (folder / ".local" / "settings.minikube.json").write_text("{")
    file = folder / "Pulumi.minikube.yaml"
    file.write_text("config: {}\n")
    assert settings_check.main("minikube", str(file)) == REFUSED
    said = r"\.local/settings\.minikube\.json cannot be read as JSON .*; delete it .*\.\n"
    assert re.fullmatch(said, capsys.readouterr().err)


def test_an_environment_that_lacks_a_package_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(
        "#!/bin/sh\necho 'Traceback (most recent call last):' >&2\n"
        "echo \"ModuleNotFoundError: No module named 'pydantic'\" >&2\nexit 1\n"
    )
    python.chmod(0o755)
    monkeypatch.setattr(paths, "VENV", tmp_path)
    with pytest.raises(Failure) as failure:
        Document(ROOT / "Pulumi.minikube.yaml").check("toolchain.settings_check", "minikube")
    said = (
        r"Pulumi\.minikube\.yaml cannot be checked \(ModuleNotFoundError: .*\); remove \.venv, .*"
    )
    assert re.fullmatch(said, str(failure.value))


def test_settings_are_checked_without_pulumi_whose_import_takes_longer_than_the_check() -> None:
    program = "import sys, toolchain.settings_check; print(*sys.modules)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(done.stdout.split())
    assert "pydantic" in loaded
    assert not loaded & {"pulumi", "pulumi_kubernetes", "docker", "kubernetes"}
