"""A quota that is made smaller or larger lets the pods of its own update in."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.namespace.namespace import PodDemand, hard_limits
from components.namespace.quota_room import QuotaRoom
from components.values.quantities import quantity_value
from components.values.resources import Resources

PATH = "/api/v1/namespaces/shop/resourcequotas/web"


class Api:
    """A cluster with one quota, or none."""

    def __init__(self, hard: Mapping[str, str] | None) -> None:
        self.hard, self.patched = dict(hard or {}), list[Any]()
        self.is_there = hard is not None

    def request(self, method: str, path: str, body: Any = None) -> Any:
        assert path == PATH
        if method == "PATCH":
            self.patched.append(body)
            self.hard |= body["spec"]["hard"]
        return {"spec": {"hard": self.hard}} if self.is_there else None


def begin_update(api: Api, hard: Mapping[str, str]) -> None:
    args = pulumi.ResourceHookArgs(
        urn="", id="", name="", type="", new_inputs={"metadata": {"namespace": "shop"}}
    )
    QuotaRoom(api=api, name="web", hard=hard).hook(args)


def test_what_is_to_allow_more_does_so_before_the_pods_and_what_is_to_allow_less_after() -> None:
    api = Api({"limits.cpu": "24", "limits.memory": "1Gi", "pods": "12"})
    begin_update(api, {"limits.cpu": "3000m", "limits.memory": "3072Mi", "pods": "12"})
    assert api.hard == {"limits.cpu": "24", "limits.memory": "3072Mi", "pods": "12"}


@pytest.mark.parametrize("live", [None, {"limits.cpu": "3", "pods": "12"}, {"limits.cpu": "3Ei"}])
def test_a_quota_that_is_not_there_or_has_the_room_stays_as_it_is(
    live: Mapping[str, str] | None,
) -> None:
    api = Api(live)
    begin_update(api, {"limits.cpu": "3000m", "limits.memory": "3072Mi", "pods": "12"})
    assert api.patched == []


@dataclass
class Rolling:
    """A Deployment as `declare_deployment` rolls it: one more pod, and none less."""

    cores: tuple[int, int]
    """What a pod has of them, before and after."""
    wanted: int
    old: int
    new: int = 0

    def used(self) -> int:
        return self.old * self.cores[0] + self.new * self.cores[1]

    def step(self, room: int) -> bool:
        """Goes one step on; returns whether it did."""
        if self.old + self.new > self.wanted and self.old:
            self.old -= 1
        elif self.new < self.wanted and self.cores[1] <= room:
            self.new += 1
        else:
            return False
        return True

    @property
    def is_over(self) -> bool:
        return not self.old and self.new == self.wanted


def quota_of(services: Sequence[tuple[int, int]]) -> dict[str, str]:
    """Returns the quota for services with so many pods of so many cores."""
    return hard_limits(
        [PodDemand(resources=_size(it), pods=max(2 * n, 5) + 1) for n, it in services]
    )


def _size(cores: int) -> Resources:
    return Resources(
        cpu_request="1m", cpu_limit=str(cores), memory_request="16Mi", memory_limit="16Mi"
    )


def rolls(services: Sequence[Rolling], most: str, order: random.Random) -> bool:
    """Returns whether all are rolled under a quota, whoever comes first."""

    def steps() -> Iterator[bool]:
        room = int(quantity_value(most)) - sum(it.used() for it in services)
        yield from (it.step(room) for it in order.sample(services, len(services)))

    while any(steps()):
        pass
    return all(it.is_over for it in services)


_CORES = st.integers(1, 64)
_SERVICE = st.tuples(st.integers(1, 8), st.integers(1, 8), _CORES, _CORES)


@given(st.lists(_SERVICE, min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_pods_of_any_other_number_and_size_take_the_place_of_those_there(
    services: list[tuple[int, int, int, int]], order: random.Random
) -> None:
    api = Api(quota_of([(n, cores) for n, _, cores, _ in services]))
    begin_update(api, quota_of([(n, cores) for _, n, _, cores in services]))
    rolling = [
        Rolling(cores=(before, after), wanted=n, old=old) for old, n, before, after in services
    ]
    assert rolls(rolling, api.hard["limits.cpu"], order)


def test_under_a_quota_that_is_made_smaller_first_they_would_not() -> None:
    rolling = [Rolling(cores=(16, 1), wanted=2, old=2)]
    assert not rolls(rolling, quota_of([(2, 1)])["limits.cpu"], random.Random(1))  # noqa: S311
