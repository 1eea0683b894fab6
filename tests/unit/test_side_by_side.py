"""Steps at once: all are waited for, and a failure or an interrupt ends the others."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from console.failure import Failure
from tests.unit.interrupting import interrupted, is_gone
from toolchain import side_by_side, ui


@pytest.fixture(autouse=True)
def foreground() -> Iterator[None]:
    """As in a terminal, wherever the tests run: what is started ends with an interrupt."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


def command(folder: Path, script: str) -> None:
    ui.run(["sh", "-c", script], log=folder / "log", what="a step", cwd=folder)


def run_beside_a_failure(folder: Path, step: Callable[[], None]) -> None:
    """Runs a step beside one that fails as soon as it has begun; that failure is the one said."""

    def fails() -> None:
        command(folder, "while ! test -e began; do sleep 0.01; done")
        raise Failure("The network is gone.")

    with pytest.raises(Failure, match="The network is gone"):
        side_by_side.run(step, fails)


def test_steps_wait_for_one_another(tmp_path: Path) -> None:
    """One after another, each would wait for ever."""
    wait = "touch {}; while ! test -e {}; do sleep 0.01; done"
    side_by_side.run(
        partial(command, tmp_path, wait.format("a", "b")),
        partial(command, tmp_path, wait.format("b", "a")),
    )
    assert (tmp_path / "a").exists()


def test_the_first_failure_ends_the_other_steps_and_is_the_one_that_is_said(
    tmp_path: Path,
) -> None:

    def other() -> None:
        command(tmp_path, "touch began; sleep 600; touch went-on")

    run_beside_a_failure(tmp_path, other)
    assert not (tmp_path / "went-on").exists()
    # What comes next is not ended with it.
    command(tmp_path, "touch next")
    assert (tmp_path / "next").exists()


def test_no_command_begins_after_a_failure(tmp_path: Path) -> None:
    def several() -> None:
        command(tmp_path, "touch began; exec sleep 600")

    def goes_on() -> None:
        with pytest.raises(Failure):
            several()
        command(tmp_path, "sleep 600; touch went-on")

    run_beside_a_failure(tmp_path, goes_on)
    assert not (tmp_path / "went-on").exists()


def test_what_is_ended_tidies_up_with_all_that_it_has_started(tmp_path: Path) -> None:
    program = (
        "import pathlib, signal, subprocess, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        "try:\n"
        "    pathlib.Path('new').write_text(str(child.pid))\n"
        "    pathlib.Path('new').rename('began')\n"
        "    child.wait()\n"
        "except KeyboardInterrupt:\n"
        "    child.wait()\n"  # an interrupt is for it too
        "    pathlib.Path('tidied').touch()\n"
    )

    def other() -> None:
        arguments = [sys.executable, "-c", program]
        ui.run(arguments, log=tmp_path / "log", what="a step", cwd=tmp_path)

    run_beside_a_failure(tmp_path, other)
    assert (tmp_path / "tidied").exists()
    assert is_gone(tmp_path / "began")


def test_what_runs_in_the_background_is_ended_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    monkeypatch.setattr(ui, "_SECONDS_TO_TIDY_UP", 600)

    def other() -> None:
        command(tmp_path, "echo $$ > new; mv new began; exec sleep 600")

    run_beside_a_failure(tmp_path, other)
    assert is_gone(tmp_path / "began")


def test_what_ignores_an_interrupt_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ui, "_SECONDS_TO_TIDY_UP", 0)

    def other() -> None:
        command(tmp_path, "trap '' INT TERM; echo $$ > new; mv new began; exec sleep 600")

    run_beside_a_failure(tmp_path, other)
    assert is_gone(tmp_path / "began")


def test_after_a_second_interrupt_no_step_begins_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutdown, failed = ThreadPoolExecutor.shutdown, threading.Event()

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    def goes_on() -> None:
        failed.wait()
        with pytest.raises(Failure):
            command(tmp_path, "sleep 5; touch went-on")

    def fails() -> None:
        monkeypatch.setattr(ThreadPoolExecutor, "shutdown", interrupted)
        raise Failure("The network is gone.")

    with pytest.raises(KeyboardInterrupt):
        side_by_side.run(goes_on, fails)
    monkeypatch.setattr(ThreadPoolExecutor, "shutdown", shutdown)
    failed.set()
    for thread in threading.enumerate():
        if thread.name.startswith("ThreadPoolExecutor"):
            thread.join()
    ui.allow_commands()
    assert not (tmp_path / "went-on").exists()


def test_an_interrupt_ends_every_step(tmp_path: Path) -> None:
    program = (
        "import signal, sys; from functools import partial; from pathlib import Path\n"
        "from toolchain import side_by_side, ui\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "folder = Path(sys.argv[1])\n"
        "def step(name):\n"
        "    ui.run(['sh', '-c', f'echo $$ > {name}.new; mv {name}.new {name}; exec sleep 600'],"
        " log=folder / 'log', what=name, cwd=folder)\n"
        "side_by_side.run(partial(step, 'a'), partial(step, 'b'))\n"
    )
    _, errors = interrupted(program, tmp_path, signal.SIGINT, "a", "b")
    assert errors.endswith("KeyboardInterrupt\n")
    for name in ("a", "b"):
        assert is_gone(tmp_path / name)
