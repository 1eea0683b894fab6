"""A stack's file is read with the Python environment, and only where something has changed."""

import sys
from pathlib import Path

import pytest

from console.failure import Failure
from toolchain import (
    paths,
    stack,
)


def test_a_missing_python_environment_is_not_a_fault_of_the_stack_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(paths, "VENV", tmp_path / "none")
    with pytest.raises(Failure, match="run `make install`"):
        stack.Stack("minikube").document()


def test_a_stack_file_is_read_once_until_something_else_is_written_in_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log, python = tmp_path / "starts", tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\necho >> {log}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(paths, "PROJECT", tmp_path)
    monkeypatch.setattr(paths, "VENV", tmp_path)
    file = tmp_path / "Pulumi.minikube.yaml"
    file.write_text("config: {todo:one: 1}")
    read = stack.Stack("minikube")
    assert read.config() == read.config() == {"todo:one": 1}
    assert len(log.read_text()) == 1
    file.write_text("config: {todo:two: 2}")
    assert read.config() == {"todo:two": 2}


def test_what_is_checked_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read = stack.Stack("minikube")
    assert read.check_settings()["namespace"] == "todo-app"
    monkeypatch.setattr(paths, "VENV", Path("/nowhere"))
    assert read.settings()["cluster"]["kind"] == "local"
