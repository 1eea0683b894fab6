"""Tests side by side: what is shown of them, and what is made of their exit codes."""

import sys
from pathlib import Path

import pytest

from toolchain.jobs import Job, failed

_WAITS = """
import pathlib, sys, time
mine, others = map(pathlib.Path, sys.argv[1:])
mine.touch()
for _ in range(10_000):
    if others.exists(): sys.exit()
    time.sleep(0.02)
sys.exit("nobody came")
"""


def job(title: str, program: str, folder: Path, *arguments: str) -> Job:
    return Job(title, [sys.executable, "-IS", "-c", program, *arguments], folder)


def test_they_run_at_once(tmp_path: Path) -> None:
    first = job("first", _WAITS, tmp_path, "a", "b")
    assert failed(first, job("second", _WAITS, tmp_path, "b", "a")) == []


def test_each_that_fails_is_named_and_has_its_say_in_one_piece(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    says = "import sys; print('out of', {0!r}); sys.exit('why ' + {0!r})"
    well, ill, worse = (job(it, says.format(it), tmp_path) for it in ("well", "ill", "worse"))
    well = job("well", "print('out of well')", tmp_path)
    assert failed(well, ill, worse) == ["ill", "worse"]
    out, err = capfd.readouterr()
    assert err == ""
    said = [it for it in out.splitlines() if not it.startswith("▸")]
    assert said[0] == "out of well"
    assert {*said[1:3]} == {"out of ill", "why ill"}
    assert {*said[3:5]} == {"out of worse", "why worse"}


def test_the_one_that_is_shown_may_be_what_fails(tmp_path: Path) -> None:
    ill, well = job("ill", "raise SystemExit(1)", tmp_path), job("well", "", tmp_path)
    assert failed(ill, well) == ["ill"]


def test_nothing_goes_on_when_it_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        while not (tmp_path / "begun").exists():
            pass
        raise KeyboardInterrupt

    goes_on = "import pathlib, time; pathlib.Path('begun').touch(); time.sleep(60)"
    goes_on += "; pathlib.Path('ended').touch()"
    monkeypatch.setattr("toolchain.jobs.ui.say", interrupted)
    with pytest.raises(KeyboardInterrupt):
        failed(job("shown", "", tmp_path), job("beside", goes_on, tmp_path))
    assert not (tmp_path / "ended").exists()
