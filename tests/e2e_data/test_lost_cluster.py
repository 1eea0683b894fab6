"""The cluster is lost, its volumes and Pulumi's state as well; the object store has the archive.

One story in order. A new cluster is a namespace that is made anew: it has another identity, and so
has its archive.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.waiting import wait_until
from tests.commands import how_it_ended
from tests.e2e.deployment import Deployment
from tests.e2e.scratch_stack import scratch_stack
from tests.e2e_data.conftest import SUMS, Settings, give_store, set_database, sql, wait_ready
from tests.e2e_data.writing import Writing
from tests.object_store import BUCKET, ObjectStoreServer

PREFIX = "lost"
ANOTHER = "postgres-cluster-another"


class Story:
    """What the tests know of each other."""

    moment: str
    """Between what the first sums have and what came later."""
    first_sums: str
    archived: frozenset[str]
    """What was acknowledged before the log was brought to the store for the last time."""
    writing: Writing
    """Who wrote all that was written after the moment."""
    old: Path
    """The old archive."""
    files: dict[Path, tuple[int, int]]
    """Size and time of each of its files."""


@pytest.fixture(scope="module")
def story() -> Story:
    return Story()


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory,
    store: ObjectStoreServer,
    operated: Callable[..., Settings],
) -> Iterator[Deployment]:
    """The application on one server."""
    folder = tmp_path_factory.mktemp("lost")
    with scratch_stack(Deployment(), folder, "lost", (30788, 30789)) as stack:
        give_store(stack, store)
        database = operated(PREFIX, instances=1)
        set_database(stack, {**database, "backup": {**database["backup"], "drill": {}}})
        stack.up()
        wait_ready(stack)
        yield stack


def _archives(store: ObjectStoreServer) -> list[Path]:
    return sorted((store.folder / "buckets" / BUCKET / PREFIX / "wal").iterdir())


def _files(archive: Path) -> dict[Path, tuple[int, int]]:
    found = [(it, it.stat()) for it in archive.rglob("*") if it.is_file()]
    return {it: (about.st_size, about.st_mtime_ns) for it, about in found}


def _lose(stack: Deployment) -> None:
    """Takes away all that the stack has but its file: no server gets the time to say good-bye."""
    stack.kubectl("delete", "namespace", stack.stack, "--wait=false")
    stack.kubectl("delete", "pods", "--all", "--force", "--grace-period=0", "--wait=false")
    stack.kubectl("wait", "--for=delete", f"namespace/{stack.stack}", "--timeout=300s")
    for command in (
        ("stack", "rm", "--yes", "--force", "--preserve-config"),
        ("stack", "init"),
    ):
        done = stack.pulumi(*command)
        assert done.returncode == 0, how_it_ended(done)


def _ops(stack: Deployment, *arguments: str) -> str:
    done = stack.ops(*arguments)
    print(done.stdout)
    assert done.returncode == 0, how_it_ended(done)
    return done.stdout


def test_what_was_archived_comes_back_into_a_new_cluster_by_one_command(
    stack: Deployment, store: ObjectStoreServer, story: Story
) -> None:
    with Writing(stack) as writing:
        writing.go_on()
    story.first_sums = sql(stack, SUMS)
    time.sleep(1.5)  # PostgreSQL's moments and this one are of one clock, but for its ticks
    story.moment = datetime.now(UTC).isoformat()
    time.sleep(1.5)
    with Writing(stack) as story.writing:
        story.writing.go_on()
        story.archived = frozenset(story.writing.acknowledged)
        _ops(stack, "backup")
        story.writing.go_on()
    (story.old,) = _archives(store)
    begin = time.monotonic()
    _lose(stack)
    story.files = _files(story.old)
    lost_after = time.monotonic() - begin
    stack.up()
    wait_ready(stack)
    deployed_after = time.monotonic() - begin
    assert sql(stack, "SELECT count(*) FROM users;") == "0"
    said = _ops(stack, "restore", "--lost", "--yes")
    assert f"restored the newest of {story.old.name}" in said
    assert "all identical by checksum" in said
    stored = story.writing.stored()
    missing = {*story.writing.acknowledged} - stored
    print(
        f"cluster lost: {len(story.writing.acknowledged)} acknowledged, {len(missing)} of them in "
        f"no archived segment; gone {lost_after:.0f} s, deployed {deployed_after:.0f} s, restored "
        f"{time.monotonic() - begin:.0f} s after the loss began"
    )
    assert story.archived <= stored <= story.writing.sent
    # What is missing is the end of what was written, without a hole before it.
    kept = [it in stored for it in story.writing.acknowledged]
    assert kept == sorted(kept, reverse=True)
    wait_until(
        lambda: stack.ops("validate", "--no-drift").returncode == 0, 180, "it stays unhealthy"
    )


def test_the_moment_of_a_lost_cluster_comes_back_too(stack: Deployment, story: Story) -> None:
    newest = sql(stack, SUMS)
    _ops(stack, "restore", "--lost", "--to", story.moment, "--yes")
    assert sql(stack, SUMS) == story.first_sums
    _ops(stack, "restore", "--undo", "--yes")
    assert sql(stack, SUMS) == newest


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--archive", "nobodys"), "There is no archive nobodys"),
        (("--archive", "elsewhere/wal/"), "There is no archive of another cluster"),
        (("--lost", "--to", "2020-01-01T00:00:00Z"), "is before the first base backup of"),
        (("--lost", "--to", "2120-01-01T00:00:00Z"), "is after the end of the archive"),
        (("--lost", "--to", "yesterday"), "is no time with a zone"),
        (("--lost", "--dump", "some"), "--dump and --lost name two things"),
    ],
)
def test_what_no_archive_leads_to_is_refused_in_a_sentence(
    stack: Deployment, arguments: tuple[str, ...], sentence: str
) -> None:
    before = sql(stack, SUMS)
    done = stack.ops("restore", *arguments, "--yes")
    assert done.returncode == 2, how_it_ended(done)
    assert sentence in " ".join(done.stderr.split())
    assert "Traceback" not in done.stdout + done.stderr
    assert sql(stack, SUMS) == before


def test_of_several_archives_one_has_to_be_named(
    stack: Deployment, store: ObjectStoreServer, story: Story
) -> None:
    old, another = story.old, story.old.with_name(ANOTHER)
    shutil.copytree(old, another)
    done = stack.ops("restore", "--lost", "--yes")
    assert done.returncode == 2, how_it_ended(done)
    assert "has 2 archives of other clusters; name one" in " ".join(done.stderr.split())
    assert old.name in done.stdout
    (own,) = (it.name for it in _archives(store) if it not in (old, another))
    done = stack.ops("restore", "--archive", own, "--yes")
    assert "is this stack's own archive" in " ".join(done.stderr.split())


def test_a_scheduled_drill_recovers_what_is_in_the_store_beside_the_live_database(
    stack: Deployment, store: ObjectStoreServer, story: Story
) -> None:
    _ops(stack, "backup")
    begin = time.monotonic()
    said = _ops(stack, "restore-drill", "--scheduled")
    print(f"scheduled drill: {time.monotonic() - begin:.0f} s")
    users = sql(stack, "SELECT count(*) FROM users;")
    assert users != "0"
    assert "recovered the base backup" in said
    assert "RESTORABLE" in said
    assert _drill_finding(stack)["state"] == "ok"


def test_a_drill_tells_of_a_base_backup_that_is_broken(
    stack: Deployment, store: ObjectStoreServer, story: Story
) -> None:
    before = sql(stack, SUMS)
    (own,) = (it for it in _archives(store) if it.name not in (story.old.name, ANOTHER))
    newest = max((own / "base").iterdir())
    (data,) = newest.glob("data.tar*")
    whole = data.read_bytes()
    data.write_bytes(whole[: len(whole) // 2])
    done = stack.ops("restore-drill", "--scheduled")
    assert done.returncode == 1, how_it_ended(done)
    broken = f"the base backup {newest.name} cannot be read back"
    assert broken in " ".join(done.stderr.split())
    # As the schedule does, whose Job stays when it fails.
    stack.kubectl("create", "job", "--from=cronjob/postgres-cluster-drill", "weekly")
    stack.kubectl("wait", "--for=condition=failed", "job/weekly", "--timeout=900s")
    found = _drill_finding(stack)
    assert found["state"] == "failed"
    assert found["cause"].startswith(f"weekly failed: {broken}")
    data.write_bytes(whole)
    _ops(stack, "restore-drill", "--scheduled")
    assert _drill_finding(stack)["state"] == "ok"
    assert sql(stack, SUMS) == before


def _drill_finding(stack: Deployment) -> dict[str, str]:
    said = stack.ops("validate", "--no-drift", "--json").stdout
    (found,) = (it for it in json.loads(said)["findings"] if it["check"] == "restore drill")
    return found


def test_the_old_archive_is_as_the_lost_cluster_has_left_it(story: Story) -> None:
    assert _files(story.old) == story.files


def test_servers_and_volumes_that_are_made_anew_in_their_namespace_get_their_data_back(
    stack: Deployment, store: ObjectStoreServer, story: Story
) -> None:
    """The new Cluster has the lost one's folder, and writes nothing there."""
    _ops(stack, "backup")
    before = sql(stack, SUMS)
    (own,) = (it for it in _archives(store) if it.name not in (story.old.name, ANOTHER))
    _make_anew(stack)
    written = _log(own)
    said = _ops(stack, "restore", "--archive", own.name, "--yes")
    assert "all identical by checksum" in said
    assert sql(stack, SUMS) == before
    assert _log(own) == written


def _make_anew(stack: Deployment) -> None:
    """Takes servers and volumes away, and makes the same Cluster once more, which is empty."""
    found = stack.objects("cluster.postgresql.cnpg.io/postgres-cluster")
    metadata = {key: found["metadata"][key] for key in ("name", "labels", "annotations")}
    stack.kubectl("delete", "cluster.postgresql.cnpg.io", "postgres-cluster", "--timeout=300s")
    label = "cnpg.io/cluster=postgres-cluster"
    for it in ("pods", "persistentvolumeclaims"):
        stack.kubectl("wait", "--for=delete", it, "-l", label, "--timeout=300s")
    body = {key: found[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": metadata}
    made = stack.try_kubectl("create", "-f", "-", text=json.dumps(body))
    assert made.returncode == 0, how_it_ended(made)
    ready = ("wait", "--for=condition=Ready", "cluster.postgresql.cnpg.io/postgres-cluster")
    stack.kubectl(*ready, "--timeout=600s")


def _log(archive: Path) -> dict[Path, tuple[int, int]]:
    return {it: about for it, about in _files(archive).items() if "wals" in it.parts}
