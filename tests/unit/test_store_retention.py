"""A real restic's retention: what is kept in an object store, and what goes."""

import json
from pathlib import Path

import pytest

from tests.restic_repository import Repository, find_restic
from tests.store_script import run_script


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    restic = find_restic(tmp_path)
    if restic is None:
        pytest.skip("no restic 0.17 or newer: install it, or run `make e2e` once")
    password = tmp_path / "password"
    password.write_text("of the tests")
    return Repository(restic, tmp_path / "repository", password)


def test_many_backups_of_one_day_push_no_earlier_day_out(repository: Repository) -> None:
    folder, file = repository.folder.parent, repository.folder.parent / "a dump"
    file.write_text("the dump")
    repository.run("init")
    times = [f"2026-01-0{day} 0{hour}:00:00" for day in (3, 4) for hour in (1, 2)]
    times += [f"2026-01-05 0{hour}:00:00" for hour in range(1, 6)]
    for time in times:
        told = ("--host", "shop", "--tag", "proven", "--time", time)
        repository.run("backup", *told, str(file))
    done = run_script(folder, "put", repository.restic, repository.environment)
    assert done.code == 0, done
    found = json.loads(repository.run("snapshots", "--json"))
    old = sorted(it["time"][:13] for it in found)[:-1]
    assert old == ["2026-01-04T02", "2026-01-05T04", "2026-01-05T05"]
