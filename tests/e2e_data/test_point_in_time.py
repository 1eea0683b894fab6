"""Somebody deletes what people have; it is brought back as it was a second before."""

import time
from datetime import UTC, datetime

import pytest

from console.waiting import wait_until
from tests.commands import succeeded
from tests.e2e.deployment import Deployment
from tests.e2e_data.conftest import SUMS, sql
from tests.e2e_data.writing import Writing
from tests.object_store import ObjectStoreServer

_RECOVERY_POINT = 300
"""Seconds after which a write is in the store, whatever becomes of the cluster."""


def _written(stack: Deployment) -> str:
    with Writing(stack) as writing:
        writing.go_on()
    return sql(stack, SUMS)


def _ops(stack: Deployment, *arguments: str) -> str:
    return succeeded(stack.ops(*arguments))


def test_a_moment_before_a_deletion_comes_back_and_undo_takes_it_away(stack: Deployment) -> None:
    before = _written(stack)
    time.sleep(1.5)
    moment = datetime.now(UTC).isoformat()
    time.sleep(1.5)
    sql(stack, "DELETE FROM users;")
    after = sql(stack, SUMS)
    assert after != before
    said = _ops(stack, "restore", "--to", moment, "--yes")
    print(said)
    assert "all identical by checksum" in said
    assert sql(stack, SUMS) == before
    clusters = stack.objects("clusters.postgresql.cnpg.io")["items"]
    assert len(clusters) == 1, "the second Cluster is left"
    stack.wait_healthy("--no-drift")
    _ops(stack, "restore", "--undo", "--yes")
    assert sql(stack, SUMS) == after


@pytest.mark.parametrize(
    ("moment", "sentence"),
    [
        ("2020-01-01T00:00:00Z", "is before the first base backup"),
        ("2120-01-01T00:00:00Z", "has not come yet"),
        ("yesterday", "is no time with a zone"),
    ],
)
def test_a_moment_that_cannot_be_had_is_refused(
    stack: Deployment, moment: str, sentence: str
) -> None:
    done = stack.ops("restore", "--to", moment, "--yes")
    assert done.returncode == 2
    assert sentence in " ".join(done.stderr.split())


def test_what_is_in_the_store_alone_can_be_recovered(stack: Deployment) -> None:
    _written(stack)
    print(_ops(stack, "backup"))
    said = _ops(stack, "restore-drill")
    print(said)
    assert "RESTORABLE" in said
    assert "all identical" in said
    assert "any moment since" in _ops(stack, "backups")


def test_what_is_written_is_in_the_store_in_five_minutes_by_itself(
    stack: Deployment, store: ObjectStoreServer
) -> None:
    _ops(stack, "backup")  # which closes a segment, so that the next has all of its time
    _written(stack)
    written = time.time()
    segment = sql(stack, "SELECT pg_walfile_name(pg_current_wal_lsn());")

    def stored() -> list[float]:
        return [it.stat().st_mtime for it in store.files if it.name.startswith(segment)]

    # Nobody writes any more, so that nothing but time closes the segment.
    late = f"{segment} does not reach the store"
    seconds = wait_until(stored, 2 * _RECOVERY_POINT, late, every=2)[0] - written
    print(f"{segment} was in the store {seconds:.0f} s after the last write")
    # A promise, which the server's clock keeps; of its five minutes a slow machine has one.
    assert seconds <= _RECOVERY_POINT


def test_the_password_changes_for_everybody_at_once(stack: Deployment) -> None:
    with Writing(stack) as writing:
        writing.go_on()
        print(_ops(stack, "rotate-password", "--yes"))
        writing.go_on()
    assert writing.refused == []
    assert {*writing.acknowledged} == writing.stored()
    stack.wait_healthy("--no-drift")
    succeeded(stack.pulumi("preview", "--expect-no-changes"))
