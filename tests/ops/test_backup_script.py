"""The script that writes a backup: cut off, on a full volume, and next to other people's files."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from components.postgres.backup_script import BACKUP_SCRIPT
from ops import scripts
from ops.dumps import read
from tests.ops.scratch_server import Deployed, until

Deploy = Callable[..., Deployed]
STAMP = "20260101T00000{}Z"


def older(stack: Deployed, count: int) -> list[str]:
    """Gives the stack earlier backups, each a good one."""
    made = stack.backups / stack.dump()
    names = [f"{stack.name}-{STAMP.format(number)}.dump" for number in range(count)]
    for name in names:
        (stack.backups / name).write_bytes(made.read_bytes())
    made.unlink()
    return names


def files(stack: Deployed) -> set[str]:
    return {path.name for path in stack.backups.iterdir()}


def program(stack: Deployed, folder: Path, name: str, text: str) -> str:
    """Puts a program in front of the others; returns the PATH."""
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / "bin" / name).chmod(0o755)
    return f"{folder / 'bin'}:{stack.environment()['PATH']}"


def start(stack: Deployed, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        stack.command(BACKUP_SCRIPT),
        env=stack.environment(**environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A shell cannot catch what was ignored before it began, as in a test run in the background.
        preexec_fn=_catch_all,
    )


def _catch_all() -> None:
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


SLOW = 'for given; do case "$given" in --file=*) echo begun > "${given#--file=}";; esac; done\n'


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_backup_that_is_stopped_leaves_nothing(
    sent: signal.Signals, deploy: Deploy, tmp_path: Path
) -> None:
    stack = deploy()
    running = start(stack, PATH=program(stack, tmp_path, "pg_dump", f"{SLOW}exec sleep 60"))
    until(lambda: any(path.stat().st_size for path in stack.backups.glob("*.part")))
    running.send_signal(sent)
    output, _ = running.communicate(timeout=300)
    assert running.returncode == 128 + sent, output
    assert files(stack) == set()


def test_what_a_killed_backup_left_is_shown_and_goes_with_the_next(
    deploy: Deploy, tmp_path: Path
) -> None:
    stack = deploy()
    slow = program(stack, tmp_path, "pg_dump", f"{SLOW}exec sleep 60")
    killed, running = start(stack, PATH=slow), None
    until(lambda: any(path.stat().st_size for path in stack.backups.glob("*.part")))
    (child,) = Path(f"/proc/{killed.pid}/task/{killed.pid}/children").read_text().split()
    killed.kill()
    os.kill(int(child), signal.SIGKILL)
    killed.communicate(timeout=300)
    (left,) = files(stack)
    try:
        until(lambda: (stack.backups / left).exists())
        subprocess.run(["sleep", "1.1"], check=True)
        running = start(stack, PATH=slow)
        until(lambda: len(files(stack)) == 2)
        (other,) = files(stack) - {left}
        until(lambda: (stack.backups / other).stat().st_size > 0)
        for name in (left, other):
            os.utime(stack.backups / name, (0, 0))
        subprocess.run(["sleep", "1.1"], check=True)
        shown = read(stack.run(scripts.LIST).stdout.splitlines())
        assert {f.name: f.state for f in shown.rest} == {left: "unfinished", other: "running"}
        made = stack.dump()
        assert files(stack) == {made, other}
    finally:
        if running:
            running.terminate()
            running.communicate(timeout=300)


def test_other_files_are_neither_counted_nor_removed(
    deploy: Deploy, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = deploy()
    mine = older(stack, 3)
    others = {
        "before-the-upgrade.dump",
        f"shop-{STAMP.format(1)}.dump",
        f"todo-{STAMP.format(1)}.dump.copy",
        f"my-todo-{STAMP.format(1)}.dump.part",
        "zzz.dump",
    }
    for name in others:
        (stack.backups / name).write_text("somebody's")
        os.utime(stack.backups / name, (0, 0))
    made = stack.dump()
    assert files(stack) == {*others, *mine[1:], made}
    stack.list()
    shown = capsys.readouterr().out
    assert shown.splitlines()[0].startswith(made)
    assert "zzz.dump" in shown
    stack.drill()
    assert made in capsys.readouterr().out


def test_many_backups_of_one_day_push_no_earlier_day_out(deploy: Deploy) -> None:
    stack = deploy()
    good = stack.backups / stack.dump()
    stamps = [f"2026010{day}T0{hour}0000Z" for day in (1, 2, 3, 4) for hour in (1, 2)]
    stamps += [f"20260105T0{hour}0000Z" for hour in range(1, 8)]
    for stamp in stamps:
        (stack.backups / f"{stack.name}-{stamp}.dump").write_bytes(good.read_bytes())
    good.unlink()
    made = stack.dump()
    kept = ["20260104T020000Z", "20260105T060000Z", "20260105T070000Z"]
    assert files(stack) == {made, *(f"{stack.name}-{stamp}.dump" for stamp in kept)}


def test_on_a_small_volume_backups_of_the_same_day_go_before_those_of_earlier_days(
    deploy: Deploy, tmp_path: Path
) -> None:
    stack = deploy()
    good = stack.backups / stack.dump()
    stamps = ["20260104T010000Z", *(f"20260105T0{hour}0000Z" for hour in (1, 2, 3))]
    for stamp in stamps:
        (stack.backups / f"{stack.name}-{stamp}.dump").write_bytes(good.read_bytes())
    good.unlink()
    room = f'[ "$(ls {stack.backups}/*.dump | wc -l)" -gt 2 ] && echo 1 || echo 99999999'
    done = stack.run(BACKUP_SCRIPT, PATH=program(stack, tmp_path, "df", room))
    assert done.returncode == 0, done.stdout
    assert {f"{stack.name}-{stamp}.dump" for stamp in (stamps[0], stamps[-1])} < files(stack)
    assert len(files(stack)) == 3


def test_only_backups_that_can_be_read_count(deploy: Deploy) -> None:
    stack = deploy()
    good = older(stack, 4)
    for name in good[2:]:
        (stack.backups / name).write_text("torn")
    made = stack.dump()
    assert {made, *good[:2]} <= files(stack)


@pytest.mark.parametrize("reason", ["No space left on device", "Disk quota exceeded"])
def test_on_a_full_volume_the_oldest_backups_go_first(
    reason: str, deploy: Deploy, tmp_path: Path
) -> None:
    stack = deploy()
    old = older(stack, 3)
    full = (
        f'if [ "$(ls {stack.backups}/*.dump | wc -l)" -gt 1 ]; then\n'
        f'  echo "pg_dump: error: could not write: {reason}" >&2; exit 1\nfi\n'
        f'exec {shutil.which("pg_dump", path=stack.environment()["PATH"])} "$@"'
    )
    done = stack.run(BACKUP_SCRIPT, PATH=program(stack, tmp_path, "pg_dump", full))
    assert done.returncode == 0, done.stdout
    assert old[2] in files(stack)
    assert len(files(stack)) == 2


def test_the_newest_good_backup_never_goes(deploy: Deploy, tmp_path: Path) -> None:
    stack = deploy()
    old = older(stack, 3)
    (stack.backups / old[2]).write_text("torn")
    full = 'echo "pg_dump: error: could not write: No space left on device" >&2; exit 1'
    done = stack.run(BACKUP_SCRIPT, PATH=program(stack, tmp_path, "pg_dump", full))
    assert done.returncode == 1
    assert "the backup volume is full with one backup: enlarge it" in done.stdout
    assert files(stack) == {old[1]}


def test_room_is_made_before_the_volume_is_full(deploy: Deploy, tmp_path: Path) -> None:
    stack = deploy()
    old = older(stack, 3)
    room = f'[ "$(ls {stack.backups}/*.dump | wc -l)" -gt 2 ] && echo 1 || echo 99999999'
    done = stack.run(BACKUP_SCRIPT, PATH=program(stack, tmp_path, "df", room))
    assert done.returncode == 0, done.stdout
    assert old[0] not in files(stack)
    assert {old[1], old[2]} <= files(stack)


def test_nothing_goes_while_the_database_does_not_answer(deploy: Deploy, tmp_path: Path) -> None:
    stack = deploy()
    old = older(stack, 3)
    program(stack, tmp_path, "sleep", "exit 0")
    path = program(stack, tmp_path, "df", "echo 1")
    done = stack.run(BACKUP_SCRIPT, PATH=path, PGPORT="1")
    assert done.returncode != 0
    assert files(stack) == {*old}


def test_a_backup_that_cannot_be_read_back_is_none(deploy: Deploy, tmp_path: Path) -> None:
    stack = deploy()
    torn = (
        f'{shutil.which("pg_dump", path=stack.environment()["PATH"])} "$@"\n'
        'for it; do case "$it" in --file=*) truncate -s -100 "${it#--file=}";; esac; done'
    )
    done = stack.run(BACKUP_SCRIPT, PATH=program(stack, tmp_path, "pg_dump", torn))
    assert done.returncode != 0
    assert files(stack) == set()
