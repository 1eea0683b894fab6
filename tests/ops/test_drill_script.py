"""The script of the scheduled drill: what it says of good and of broken backups."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from components.postgres.drill_script import DRILL_SCRIPT
from tests.ops.scratch_server import Deployed, until

Deploy = Callable[..., Deployed]
# PostgreSQL refuses to run as root.
USER = "postgres" if os.geteuid() == 0 else None
LATER = "todo-99991231T235959Z.dump"


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder with a short name, since a socket's is limited."""
    with tempfile.TemporaryDirectory(prefix="drill-") as made:
        if USER:
            shutil.chown(made, USER)
        yield Path(made)


def start(stack: Deployed, scratch: Path, **environment: str) -> subprocess.Popen[str]:
    backups = scratch / "backups"
    shutil.copytree(stack.backups, backups)
    (scratch / "work").mkdir()
    for path in (backups, scratch / "work", *backups.iterdir()):
        if USER:
            shutil.chown(path, USER)
    given = {"BACKUPS": str(backups), "SCRATCH": str(scratch / "work"), **environment}
    path = stack.environment()["PATH"]
    return subprocess.Popen(
        ["/bin/sh", "-c", DRILL_SCRIPT],
        env={"PATH": path, "PGDATABASE": stack.name, "PGUSER": stack.user, **given},
        cwd=scratch,
        user=USER,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def drill(stack: Deployed, scratch: Path, **environment: str) -> tuple[int, list[str]]:
    """Returns the exit code and the lines; whatever it made has to be gone."""
    running = start(stack, scratch, **environment)
    output, _ = running.communicate(timeout=600)
    assert list((scratch / "work").iterdir()) == [], output
    return running.returncode, output.splitlines()


def test_a_good_backup_is_restored_and_read_as_a_whole(deploy: Deploy, scratch: Path) -> None:
    stack = deploy()
    stack.sql("CREATE TABLE notes AS SELECT generate_series(1, 500) AS id")
    made = stack.dump()
    before = stack.server.databases()
    code, lines = drill(stack, scratch)
    assert code == 0, lines
    assert lines[-1].startswith(f"restored {made}: 2 tables, 501 rows in ")
    assert stack.server.databases() == before


def test_the_newest_backup_is_tried_and_what_is_wrong_with_it_said(
    deploy: Deploy, scratch: Path
) -> None:
    stack = deploy()
    made = stack.backups / stack.dump()
    (stack.backups / LATER).write_bytes(made.read_bytes()[:-200])
    code, lines = drill(stack, scratch)
    assert code == 1
    assert lines[-1].startswith(f"{LATER} cannot be restored: could not read from input file")


def test_what_is_no_backup_is_said_to_be_none(deploy: Deploy, scratch: Path) -> None:
    stack = deploy()
    (stack.backups / LATER).write_text("torn")
    code, lines = drill(stack, scratch)
    assert (code, lines[-1]) == (
        1,
        f"{LATER} cannot be restored: input file is too short (read 4, expected 5)",
    )


def test_files_of_others_are_no_backups(deploy: Deploy, scratch: Path) -> None:
    stack = deploy()
    for name in ("before-the-upgrade.dump", f"{LATER}.part", "shop-99991231T235959Z.dump"):
        (stack.backups / name).write_text("somebody's")
    code, lines = drill(stack, scratch)
    assert (code, lines) == (1, ["there is no backup to restore yet"])


def test_a_backup_without_a_table_is_none(deploy: Deploy, scratch: Path) -> None:
    stack = deploy()
    stack.sql("DROP TABLE todos")
    made = stack.dump()
    code, lines = drill(stack, scratch)
    assert (code, lines[-1]) == (1, f"{made} has no table")


def test_what_a_restore_could_not_take_is_told_by_the_drill_and_fails_neither(
    deploy: Deploy, scratch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = deploy()
    stack.server.sql("CREATE ROLE report; GRANT SELECT ON todos TO report", stack.name)
    stack.server.sql("CREATE POLICY all_of_it ON todos TO report USING (true)", stack.name)
    stack.dump()
    stack.server.sql("DROP OWNED BY report; DROP ROLE report", stack.name)
    stack.drill()
    by_hand = capsys.readouterr().out
    code, lines = drill(stack, scratch)
    assert code == 0, lines
    left = [line for line in lines if line.startswith("not restored: ")]
    assert left == ['not restored: role "report" does not exist'] * 2
    assert by_hand.count(left[0]) == 2


def test_a_backup_that_needs_more_rights_than_a_restore_has_fails(
    deploy: Deploy, scratch: Path
) -> None:
    stack = deploy()
    stack.server.sql(
        "CREATE FUNCTION here(text) RETURNS text AS 'int4in' LANGUAGE internal", stack.name
    )
    made = stack.dump()
    code, lines = drill(stack, scratch)
    assert code == 1
    assert lines[-1] == f"{made} cannot be restored: permission denied for language internal"


def program(stack: Deployed, scratch: Path, name: str, text: str) -> str:
    """Puts a program in front of the others; returns the PATH."""
    (scratch / "bin").mkdir()
    (scratch / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
    (scratch / "bin" / name).chmod(0o755)
    return f"{scratch / 'bin'}:{stack.environment()['PATH']}"


def test_a_copy_that_would_fill_the_nodes_disk_is_not_begun(deploy: Deploy, scratch: Path) -> None:
    stack = deploy()
    stack.dump()
    path = program(stack, scratch, "df", "echo '10000000000 1200000000'")
    code, lines = drill(stack, scratch, PATH=path)
    assert code == 1
    assert "the node's disk has 1200000000 of 10000000000 free" in lines[-1]
    assert "make room there" in lines[-1]


def test_a_drill_that_is_stopped_ends_its_server(deploy: Deploy, scratch: Path) -> None:
    stack = deploy()
    stack.dump()
    real = shutil.which("pg_restore", path=stack.environment()["PATH"])
    slow = f'case "$*" in *--exit-on-error*) : > {scratch}/work/begun; exec sleep 60;; esac'
    path = program(stack, scratch, "pg_restore", f'{slow}\nexec {real} "$@"')
    running = start(stack, scratch, PATH=path)
    begun = scratch / "work" / "begun"
    until(begun.exists)
    (identity,) = (scratch / "work").glob("*/data/postmaster.pid")
    server = Path("/proc", identity.read_text().split()[0])
    assert server.exists()
    begun.unlink()
    running.send_signal(signal.SIGTERM)
    output, _ = running.communicate(timeout=300)
    assert running.returncode == 143, output
    assert list((scratch / "work").iterdir()) == []
    until(lambda: not server.exists())
