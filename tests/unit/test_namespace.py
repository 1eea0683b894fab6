"""The quota leaves room for what the stack itself may do."""

from decimal import Decimal

import pytest

from components.namespace.namespace import PodDemand, hard_limits
from components.todo.quota import quota_of
from components.todo.services.all_services import services
from components.todo.settings.parse import parse_settings
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


@pytest.mark.parametrize("replicas", [1, 7, 50])
def test_all_pods_can_be_rolled_while_those_before_them_finish(replicas: int) -> None:
    settings = parse_settings(
        {**stack_settings("minikube"), "frontend": {"scaling": {"replicas": replicas}}}
    )
    less = parse_settings({**stack_settings("minikube"), "frontend": {"scaling": {"replicas": 1}}})
    rest = int(quota_of(services(less))["pods"]) - 6
    assert int(quota_of(services(settings))["pods"]) - rest >= 2 * replicas + 1
