"""A real restic's locks: what is left stops no backup for ever, and no restore at all."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.restic_repository import Repository, find_restic
from tests.store_script import NAME, Ran, run_script

YOUNG, OLD = timedelta(minutes=10), timedelta(minutes=31)


@pytest.fixture(scope="module")
def restic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = find_restic(tmp_path_factory.mktemp("restic"))
    if found is None:
        pytest.skip("no restic 0.17 or newer: install it, or run `make e2e` once")
    return found


@pytest.fixture
def repository(restic: Path, tmp_path: Path) -> Repository:
    password = tmp_path / "password"
    password.write_text("of the tests")
    return Repository(restic, tmp_path / "repository", password)


def run(repository: Repository, verb: str) -> Ran:
    """Runs the script on the repository."""
    return run_script(repository.folder.parent, verb, repository.restic, repository.environment)


def snapshots(repository: Repository) -> int:
    """Returns how many backups are proven."""
    return repository.run("snapshots", "--no-lock", "--tag", "proven", "--json").count("short_id")


@pytest.mark.parametrize("exclusive", [True, False])
def test_a_lock_that_was_left_half_an_hour_ago_stops_no_backup(
    exclusive: bool, repository: Repository
) -> None:
    assert run(repository, "put").code == 0
    repository.leave_lock(OLD, exclusive=exclusive)
    done = run(repository, "put")
    assert (done.code, len(done.said)) == (0, 1), done
    assert "read it back" in done.said[0]
    assert (snapshots(repository), repository.locks) == (2, set[str]())


def test_a_younger_lock_is_respected_and_it_is_said_until_when(repository: Repository) -> None:
    repository.run("init")
    left = repository.leave_lock(YOUNG, exclusive=True)
    begun = datetime.now(UTC)
    ends = begun + timedelta(minutes=30) - YOUNG
    done = run(repository, "put")
    took = datetime.now(UTC) - begun
    assert (done.code, len(done.said)) == (1, 1), done
    assert (snapshots(repository), repository.locks) == (0, {left})
    found = re.search(r"a backup after (\d\d):(\d\d) UTC removes its lock$", done.said[0])
    assert found is not None, done
    said = ends.replace(hour=int(found[1]), minute=int(found[2]), second=59)
    late = (said - ends + timedelta(days=1)) % timedelta(days=1)
    assert timedelta() <= late <= timedelta(minutes=2) + took


def test_no_lock_keeps_anybody_from_reading_the_backups(repository: Repository) -> None:
    assert run(repository, "put").code == 0
    left = repository.leave_lock(YOUNG, exclusive=True)
    assert NAME in run(repository, "list").said[0]
    assert run(repository, "check").said == ["https://s3.example.com/b/p answers"]
    fetched = repository.folder.parent / "backups" / NAME
    assert not fetched.exists()
    done = run(repository, "fetch")
    assert (done.code, done.said) == (0, [])
    assert fetched.read_text() == "the dump"
    assert repository.locks == {left}
