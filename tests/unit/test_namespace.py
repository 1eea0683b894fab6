"""The quota leaves room for what the stack itself may do."""

from decimal import Decimal
from typing import Any

import pytest

from components.namespace.namespace import PodDemand, hard_limits
from components.todo.quota import quota_of
from components.todo.services.all_services import services
from components.todo.settings.parse import parse_settings
from components.values.postgres.sizes import drill_resources
from components.values.quantities import quantity_value
from components.values.resources import Resources
from tests.programs import STACKS, stack_settings

SMALL = Resources(cpu_request="100m", cpu_limit="1", memory_request="64Mi", memory_limit="1Gi")


def test_quota_is_the_sum() -> None:
    demands = [PodDemand(resources=SMALL, pods=3), PodDemand(resources=SMALL, pods=1)]
    hard = hard_limits(demands)
    assert hard["requests.cpu"] == "400m"
    assert hard["limits.memory"] == "4096Mi"
    assert hard["pods"] == "4"


def test_what_does_not_come_out_even_is_rounded_up() -> None:
    """Or the last pod would not be let in."""
    odd = SMALL.model_copy(update={"memory_limit": "100M", "cpu_limit": "0.0015"})
    hard = hard_limits([PodDemand(resources=odd, pods=3)])
    assert quantity_value(hard["limits.memory"]) >= quantity_value("300M")
    assert quantity_value(hard["limits.cpu"]) >= quantity_value("0.0045")


@pytest.mark.parametrize("stack", STACKS)
def test_five_replicas_each_can_roll_while_a_backup_runs(stack: str) -> None:
    settings = parse_settings(stack_settings(stack))
    hard = quota_of(services(settings))
    need = Decimal(0)
    for app in (settings.backend, settings.frontend):
        need += quantity_value(app.resources.memory_limit) * 6
    if settings.database.mode == "inCluster":
        need += quantity_value(settings.database.resources.memory_limit) + quantity_value("256Mi")
    assert quantity_value(hard["limits.memory"]) >= need


@pytest.mark.parametrize(
    "database",
    [
        {},
        {
            "mode": "operator",
            "backup": {
                "objectStore": {"bucket": "any", "endpoint": "https://any", "prefix": "any"}
            },
        },
    ],
    ids=["StatefulSet", "operator"],
)
def test_a_drill_has_room_beside_all_that_a_stack_without_one_has(database: Any) -> None:
    drills: list[Any] = [None, {}]
    trees = [
        {
            **stack_settings("minikube"),
            "database": {**database, "backup": {**database.get("backup", {}), "drill": drill}},
        }
        for drill in drills
    ]
    without, hard = (quota_of(services(parse_settings(tree))) for tree in trees)
    wanted = drill_resources("1Gi")
    for key, value in (
        ("limits.memory", wanted.memory_limit),
        ("limits.ephemeral-storage", wanted.ephemeral_storage_limit),
        ("limits.cpu", wanted.cpu_limit),
        ("requests.cpu", wanted.cpu_request),
        ("pods", "1"),
    ):
        room = quantity_value(hard[key]) - quantity_value(without[key])
        assert room >= quantity_value(value), key


@pytest.mark.parametrize("replicas", [1, 7, 50])
def test_all_pods_can_be_rolled_while_those_before_them_finish(replicas: int) -> None:
    settings = parse_settings(
        {**stack_settings("minikube"), "frontend": {"scaling": {"replicas": replicas}}}
    )
    less = parse_settings({**stack_settings("minikube"), "frontend": {"scaling": {"replicas": 1}}})
    rest = int(quota_of(services(less))["pods"]) - 6
    assert int(quota_of(services(settings))["pods"]) - rest >= 2 * replicas + 1
