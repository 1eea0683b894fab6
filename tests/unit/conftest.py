"""A machine with stand-ins for its tools, for the tests of what set-up decides by their answers."""

import platform
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.fake_tools import Tools, clean_environment
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
