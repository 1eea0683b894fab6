"""The script of an operator's scheduled drill, on a real server's base backup and log.

Barman's programs are stood in for by copies out of a folder.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from components.postgres_cluster.drill_script import DRILL_SCRIPT
from tests.ops.scratch_server import Deployed

Deploy = Callable[..., Deployed]
# PostgreSQL refuses to run as root.
USER = "postgres" if os.geteuid() == 0 else None
PROGRAMS = {
    "barman-cloud-backup-list": """
[ "$AWS_ACCESS_KEY_ID $AWS_SECRET_ACCESS_KEY $6" = "me pa55word postgres-x" ] ||
  { echo 'ERROR: Barman cloud backup list exception: Forbidden' >&2; exit 1; }
echo 'Backup ID           End Time                 Begin Wal'
ls "$STORE/base" | sed 's/$/     2026-01-31 09:00:00      000000010000000000000002/'
""",
    "barman-cloud-restore": 'cp -a "$STORE/base/$7" "$8"',
    "barman-cloud-wal-restore": """
[ ! -e "$STORE/away" ] || { echo 'ERROR: no connection' >&2; exit 2; }
[ ! -e "$STORE/spoilt" ] || { echo 'ERROR: not a gzipped file' >&2; exit 4; }
[ ! -e "$STORE/once" ] || { rm "$STORE/once"; echo 'ERROR: SlowDown' >&2; exit 4; }
[ ! -e "$STORE/slow" ] || sleep 5
[ -e "$STORE/log/$7" ] || exit 1
cp "$STORE/log/$7" "$8"
""",
}


class Archive:
    """A store with base backups and a log, and a drill on it."""

    def __init__(self, folder: Path, stack: Deployed) -> None:
        self.stack, self.store, self._folder = stack, folder / "store", folder
        self.work = folder / "work"
        for it in (self.work, self.store / "base", self.store / "log", folder / "programs"):
            it.mkdir(parents=True)
        for name, text in PROGRAMS.items():
            program = folder / "programs" / name
            program.write_text(f"#!/bin/sh\n{text}")
            program.chmod(0o755)
        (folder / "secret").write_text("pa55word")
        (folder / "id").write_text("me")
        for it in (folder, *folder.rglob("*")):
            if USER:
                shutil.chown(it, USER)

    def _environment(self) -> dict[str, str]:
        path = f"{self._folder / 'programs'}:{self.stack.environment()['PATH']}"
        return {"PATH": path, "STORE": str(self.store)}

    def back_up(self, name: str) -> None:
        """Makes a base backup of the server."""
        where = self.store / "base" / name
        environment = self.stack.server.environment()
        command = ["pg_basebackup", "-D", str(where), "-X", "none", "--checkpoint=fast"]
        subprocess.run(
            command, env=environment, user=USER, cwd=self._folder, check=True, capture_output=True
        )

    def archive_log(self) -> None:
        """Brings all that is written by now into the store."""
        self.stack.server.sql("SELECT pg_switch_wal()")
        data = Path(self.stack.server.sql("SHOW data_directory"))
        for segment in (data / "pg_wal").glob("0*"):
            shutil.copy(segment, self.store / "log")
            if USER:
                shutil.chown(self.store / "log" / segment.name, USER)

    def drill(self, **environment: str) -> tuple[int, list[str]]:
        """Returns the exit code and the lines; whatever it made has to be gone."""
        given = {
            "PGDATABASE": self.stack.name,
            "SCRATCH": str(self.work),
            "ROOM": "1000",
            "PAUSE": "0",
            "SECONDS_LEFT": "120",
            "ENDPOINT": "https://store.example.org",
            "DESTINATION": "s3://backups/shop/wal",
            "ARCHIVE": "postgres-x",
            "KEY_ID_FILE": str(self._folder / "id"),
            "SECRET_FILE": str(self._folder / "secret"),
        }
        done = subprocess.run(
            ["/bin/sh", "-c", DRILL_SCRIPT],
            env={**self._environment(), **given, **environment},
            cwd=self._folder,
            user=USER,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        assert not [*self.work.glob("drill.*")], done.stdout
        return done.returncode, done.stdout.splitlines()


@pytest.fixture
def archive(deploy: Deploy) -> Iterator[Archive]:
    # A short name, since a socket's is limited.
    with tempfile.TemporaryDirectory(prefix="drill-") as made:
        yield Archive(Path(made), deploy())


def test_the_newest_base_backup_and_the_log_after_it_are_recovered_and_read(
    archive: Archive,
) -> None:
    archive.back_up("20260130T090000")
    archive.back_up("20260131T090000")
    archive.stack.sql("CREATE TABLE notes AS SELECT generate_series(1, 500) AS id")
    archive.archive_log()
    code, lines = archive.drill()
    assert code == 0, lines
    assert lines[-1].startswith("recovered the base backup 20260131T090000 and ")
    assert ": 2 tables, 501 rows, the last change at " in lines[-1]


def test_without_a_base_backup_there_is_nothing_to_recover(archive: Archive) -> None:
    assert archive.drill() == (1, ["there is no base backup to recover yet"])


def test_a_store_that_does_not_let_it_in_is_no_verdict_on_the_archive(archive: Archive) -> None:
    code, lines = archive.drill(ARCHIVE="another")
    assert code == 1
    assert lines[-2] == "refused"
    assert lines[-1].startswith("the object store cannot be read: ")
    assert lines[-1].endswith("Forbidden")


def test_a_base_backup_that_is_torn_is_said(archive: Archive) -> None:
    archive.back_up("20260131T090000")
    archive.archive_log()
    (archive.store / "base" / "20260131T090000" / "global" / "pg_control").write_bytes(b"torn")
    code, lines = archive.drill()
    assert code == 1
    assert lines[-1].startswith("the base backup 20260131T090000 cannot be recovered: ")


def test_a_log_that_does_not_reach_the_end_of_the_base_backup_is_said(archive: Archive) -> None:
    archive.back_up("20260131T090000")
    code, lines = archive.drill()
    assert code == 1
    assert lines[-1].startswith("the base backup 20260131T090000 cannot be recovered: ")


def test_a_store_that_goes_away_is_neither_the_end_of_the_log_nor_a_verdict(
    archive: Archive,
) -> None:
    archive.back_up("20260131T090000")
    archive.archive_log()
    (archive.store / "away").touch()
    code, lines = archive.drill()
    assert code == 1, lines
    assert lines[-2] == "refused"
    assert lines[-1].startswith("the object store went away meanwhile, which says nothing of ")


def test_a_store_that_fails_once_is_asked_again(archive: Archive) -> None:
    archive.back_up("20260131T090000")
    archive.archive_log()
    (archive.store / "once").touch()
    if USER:
        shutil.chown(archive.store / "once", USER)
    code, lines = archive.drill()
    assert code == 0, lines
    assert not (archive.store / "once").exists()


def test_a_segment_that_is_spoilt_is_a_verdict_on_the_archive(archive: Archive) -> None:
    archive.back_up("20260131T090000")
    archive.archive_log()
    (archive.store / "spoilt").touch()
    code, lines = archive.drill()
    assert code == 1, lines
    assert "refused" not in lines
    assert lines[-1].startswith("the base backup 20260131T090000 cannot be recovered: ")


def test_a_log_that_takes_too_long_is_said_before_the_job_is_ended(archive: Archive) -> None:
    archive.back_up("20260131T090000")
    archive.archive_log()
    (archive.store / "slow").touch()
    code, lines = archive.drill(SECONDS_LEFT="0")
    assert code == 1
    assert lines[-1].endswith("takes more than 0 s to recover: let base backups be made more often")


def test_a_node_without_room_is_no_verdict_on_the_archive(archive: Archive) -> None:
    code, lines = archive.drill(ROOM=str(10**18))
    assert code == 1
    assert lines[-2] == "refused"
    assert lines[-1].endswith("of which a tenth stays free: make room there")
