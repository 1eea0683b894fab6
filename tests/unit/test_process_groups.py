"""Commands that are ended: they tidy up, and none of them nor of what they started lives on."""

import signal
import subprocess
from pathlib import Path

import pytest

from console.process_groups import end_groups
from tests.waiting import until


def begun(script: str, folder: Path) -> subprocess.Popen[str]:
    """A shell that leads a group of its own, once its script has come to `touch began`."""
    process = subprocess.Popen(
        ["sh", "-c", script], cwd=folder, stdout=subprocess.PIPE, text=True, process_group=0
    )
    until("its begin", (folder / "began").exists, 60)
    return process


@pytest.mark.parametrize("ignored", [False, True], ids=["interrupted", "where that is ignored"])
def test_a_command_that_is_ended_tidies_up(
    ignored: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if ignored:
        monkeypatch.setattr(signal, "getsignal", lambda _: signal.SIG_IGN)
    trap = "trap '' INT; trap 'exit 7' TERM" if ignored else "trap 'exit 7' INT"
    with begun(f"{trap}; touch began; sleep 600", tmp_path) as process:
        end_groups([process], 60)
    assert process.returncode == 7


def test_what_does_not_end_is_killed_with_all_that_it_has_started(tmp_path: Path) -> None:
    with begun("trap '' INT; sleep 600 & touch began; sleep 600", tmp_path) as process:
        end_groups([process], 0.1)
        process.communicate(timeout=60)  # no one has its end of the pipe any more
    assert process.returncode == -signal.SIGKILL


def test_what_a_command_leaves_behind_is_killed(tmp_path: Path) -> None:
    # What a shell runs in the background ignores interrupts.
    with begun("trap 'exit 7' INT; sleep 600 & touch began; wait", tmp_path) as process:
        end_groups([process], 1)
        process.communicate(timeout=60)
    assert process.returncode == 7


def test_a_command_may_say_a_lot_while_it_ends(tmp_path: Path) -> None:
    saying = "trap 'head -c 1000000 /dev/zero; exit 7' INT"
    with begun(f"{saying}; touch began; sleep 600", tmp_path) as process:
        end_groups([process], 60)
    assert process.returncode == 7
