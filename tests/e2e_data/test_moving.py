"""The database moves from the StatefulSet to the operator, and back, with all that is in it."""

import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from tests.commands import succeeded
from tests.e2e.deployment import Deployment
from tests.e2e.scratch_stack import scratch_stack
from tests.e2e_data.conftest import (
    LITTLE,
    SUMS,
    Settings,
    give_store,
    set_database,
    sql,
)
from tests.e2e_data.writing import Writing
from tests.object_store import ObjectStoreServer
from tests.waiting import until

_LITTLE: Settings = {"mode": "inCluster", "resources": LITTLE}


@pytest.fixture(scope="module")
def moved(
    tmp_path_factory: pytest.TempPathFactory, store: ObjectStoreServer
) -> Iterator[tuple[Deployment, Settings]]:
    """A stack with a StatefulSet, and the settings of that."""
    folder = tmp_path_factory.mktemp("moved")
    with scratch_stack(Deployment(), folder, "moved", (30798, 30799)) as stack:
        give_store(stack, store)
        in_cluster = {**set_database(stack, {}), **_LITTLE}
        set_database(stack, in_cluster)
        stack.up()
        yield stack, in_cluster


def _move(stack: Deployment, mode: str) -> None:
    said = succeeded(stack.ops("move-database", "--to", mode, "--yes"))
    print(said)
    assert "all identical by checksum" in said


def _unchanged(stack: Deployment) -> None:
    succeeded(stack.pulumi("preview", "--expect-no-changes"))


def test_a_changed_mode_is_refused_and_the_command_brings_the_data_along(
    moved: tuple[Deployment, Settings], operated: Callable[..., Settings]
) -> None:
    stack, _ = moved
    with Writing(stack) as writing:
        writing.go_on()
    before = sql(stack, SUMS)
    set_database(stack, operated("moved", instances=1))
    for command in (("preview",), ("up", "--yes", "--skip-preview")):
        refused = stack.pulumi(*command)
        assert refused.returncode != 0
        assert "python -m ops move-database --to operator" in refused.stdout
    assert sql(stack, SUMS) == before

    _kill_while_it_copies(stack)
    refused = stack.pulumi("up", "--yes", "--skip-preview")
    assert refused.returncode != 0
    assert "a move of the database to operator was cut off" in refused.stdout

    _move(stack, "operator")
    assert sql(stack, SUMS) == before
    _unchanged(stack)
    claims = {it["metadata"]["name"] for it in stack.objects("persistentvolumeclaims")["items"]}
    assert "data-postgres-0" in claims
    assert stack.try_kubectl("get", "statefulset", "postgres").returncode
    stack.wait_healthy("--no-drift")


def test_one_server_becomes_three_that_commit_together_without_a_failed_request(
    moved: tuple[Deployment, Settings], operated: Callable[..., Settings]
) -> None:
    stack, _ = moved
    with Writing(stack) as writing:
        writing.go_on()
        for more in ({"instances": 3}, {"instances": 3, "synchronous": True}):
            set_database(stack, operated("moved", **more))
            stack.up()
        writing.go_on()
    print(f"1 to 3: {len(writing.acknowledged)} acknowledged, {writing.longest:.1f} s without")
    assert writing.refused == []
    assert {*writing.acknowledged} == writing.stored()
    assert sql(stack, "SHOW synchronous_standby_names;").startswith("ANY 1 (")
    _unchanged(stack)


def test_it_moves_back_and_the_old_servers_data_go_when_told(
    moved: tuple[Deployment, Settings],
) -> None:
    stack, in_cluster = moved
    with Writing(stack) as writing:
        writing.go_on()
    before = sql(stack, SUMS)
    set_database(stack, in_cluster)
    refused = stack.pulumi("up", "--yes", "--skip-preview")
    assert refused.returncode != 0
    assert "python -m ops move-database --to inCluster" in refused.stdout
    _move(stack, "inCluster")
    assert sql(stack, SUMS) == before
    _unchanged(stack)
    dropped = succeeded(stack.ops("move-database", "--drop-old", "--yes"))
    assert "deleted: Cluster postgres-cluster" in dropped
    kinds = "pods,persistentvolumeclaims,secrets,networkpolicies"

    def left() -> list[str]:
        found = [it["metadata"]["name"] for it in stack.objects(kinds)["items"]]
        return [it for it in found if it.startswith("postgres-cluster")]

    until(lambda: f"without {left()}", lambda: not left(), 180)
    assert sql(stack, SUMS) == before
    stack.wait_healthy("--no-drift")


def _kill_while_it_copies(stack: Deployment) -> None:
    command = stack.ops_command("move-database", "--to", "operator", "--yes")
    with subprocess.Popen(
        command, cwd=stack.project, env=stack.environment, stdout=subprocess.DEVNULL
    ) as running:
        while stack.try_kubectl("get", "networkpolicy", "database-copy-in").returncode:
            assert running.poll() is None, "it ended before it copied"
            time.sleep(0.1)
        running.kill()
