"""The server that takes writes goes away while people write."""

import pytest

from console.waiting import wait_until
from distribution.cluster import images
from tests.commands import succeeded
from tests.e2e.deployment import Deployment
from tests.e2e_data.conftest import database_of, set_database
from tests.e2e_data.rebuilt_postgres import ensure_rebuilt_postgres
from tests.e2e_data.writing import Writing

_AWAY = {"503", "ConnectError"}
"""What people meet meanwhile: a Service without a ready pod refuses to connect."""


def _primary(stack: Deployment) -> str:
    return stack.objects("clusters.postgresql.cnpg.io")["items"][0]["status"]["currentPrimary"]


def _all_follow(stack: Deployment) -> None:
    def ready() -> bool:
        status = stack.objects("clusters.postgresql.cnpg.io")["items"][0]["status"]
        return status.get("readyInstances") == 3

    wait_until(ready, 400, "an instance does not come back")


def _tell(what: str, writing: Writing, lost: set[str]) -> None:
    print(
        f"{what}: {len(writing.acknowledged)} acknowledged, {len(lost)} lost, "
        f"{writing.longest:.1f} s without, {len(writing.refused)} refused: {set(writing.refused)}"
    )


def test_a_primary_that_is_killed_loses_nothing_that_was_acknowledged(stack: Deployment) -> None:
    _all_follow(stack)
    former = _primary(stack)
    with Writing(stack) as writing:
        writing.go_on()
        stack.kubectl("delete", "pod", former, "--force", "--grace-period=0")
        writing.go_on()
    lost = {*writing.acknowledged} - writing.stored()
    _tell("killed, synchronous", writing, lost)
    assert not lost
    assert set(writing.refused) <= _AWAY
    assert _primary(stack) != former
    _all_follow(stack)
    stack.wait_healthy("--no-drift")


def test_a_switchover_loses_nothing(stack: Deployment) -> None:
    _all_follow(stack)
    former = _primary(stack)
    with Writing(stack) as writing:
        writing.go_on()
        succeeded(stack.ops("switchover", "--yes"))
        writing.go_on()
    lost = {*writing.acknowledged} - writing.stored()
    _tell("switchover", writing, lost)
    assert not lost
    assert set(writing.refused) <= _AWAY
    assert _primary(stack) != former


def test_another_image_comes_by_a_switchover_and_loses_nothing(
    stack: Deployment,
) -> None:
    if images.present() is None:
        pytest.skip("another image is built for the embedded cluster alone")
    _all_follow(stack)
    former, image = _primary(stack), ensure_rebuilt_postgres()
    set_database(stack, database_of(stack) | {"image": image})
    with Writing(stack) as writing:
        writing.go_on()
        stack.up()
        writing.go_on()
    lost = {*writing.acknowledged} - writing.stored()
    _tell("another image", writing, lost)
    assert not lost
    assert set(writing.refused) <= _AWAY
    assert _primary(stack) != former
    instances = stack.objects("pods", "-l", "cnpg.io/podRole=instance")["items"]
    assert {it["spec"]["containers"][0]["image"] for it in instances} == {image}
    succeeded(stack.pulumi("preview", "--expect-no-changes"))


def test_without_synchronous_replication_writing_goes_on_and_invents_nothing(
    stack: Deployment,
) -> None:
    set_database(stack, database_of(stack) | {"synchronous": False})
    stack.up()
    _all_follow(stack)
    with Writing(stack) as writing:
        writing.go_on()
        stack.kubectl("delete", "pod", _primary(stack), "--force", "--grace-period=0")
        writing.go_on()
    stored = writing.stored()
    _tell("killed, asynchronous", writing, {*writing.acknowledged} - stored)
    assert stored <= writing.sent
