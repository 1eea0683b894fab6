"""What `validate` says when something is missing: pods, Secrets, objects."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from ops.checks import fullness, objects, probes, quota
from ops.facts import Facts
from ops.workloads import mounted_secret
from tests.ops.stacks import deployed


def test_no_object_and_no_pod_are_not_fine() -> None:
    stack = deployed()
    vars(stack)["objects"] = list
    facts = Facts(stack, cast("Any", SimpleNamespace(find=lambda *_: None)))
    assert [finding.state for finding in objects(facts)] == ["failed"]
    vars(facts).update(pods=[], workloads={"backend": {}})
    assert [finding.state for finding in probes(facts)] == ["failed"]


@pytest.mark.parametrize(
    ("capacity", "total", "free", "state", "said"),
    [
        ("1Gi", 1_020_702_720, 500_000_000, "ok", "51 % of 973.4 MiB used"),
        ("1Gi", 1_020_702_720, 100_000_000, "warning", "Enlarge a volume"),
        ("5368709120", 5_358_600_192, 100_000_000, "warning", "Enlarge a volume"),
        ("unheard of", 1_020_702_720, 100_000_000, "warning", "Enlarge a volume"),
        ("1Gi", 270_553_174_016, 200_000_000_000, "ok", "of the node's disk of 252.0 GiB used"),
        ("1Gi", 270_553_174_016, 21_000_000_000, "warning", "make room on that disk"),
    ],
    ids=["room", "full", "in bytes", "no quantity", "directory", "directory on a full disk"],
)
def test_a_full_volume_is_enlarged_where_it_can_be(
    capacity: str, total: int, free: int, state: str, said: str
) -> None:
    claim = {"status": {"capacity": {"storage": capacity}}}
    found = fullness("data-postgres-0", claim, total, free)
    assert found.state == state
    assert said in f"{found.detail} {found.command}"


def test_a_secret_that_a_server_mounts_besides_is_not_taken_for_the_applications() -> None:
    mounted = [("metrics", "postgres-metrics"), ("secrets", "postgres-credentials")]
    volumes = [{"name": name, "secret": {"secretName": secret}} for name, secret in mounted]
    workload = {"spec": {"template": {"spec": {"volumes": volumes}}}}
    assert mounted_secret(workload) == "postgres-credentials"
    assert mounted_secret({}) is None


@pytest.mark.parametrize(
    ("used", "hard", "there", "leaving", "state"),
    [
        ("6", "6", 5, 1, "ok"),
        ("6", "6", 5, 0, "ok"),
        ("6", "6", 6, 0, "failed"),
        ("7", "6", 7, 1, "failed"),
        ("2", "6", 9, 0, "ok"),
        ("6", "1k", 6, 0, "ok"),
    ],
    ids=[
        "on its way out",
        "just gone",
        "full",
        "full beside it",
        "of some pods only",
        "a thousand, as Kubernetes writes it",
    ],
)
def test_a_quota_is_full_of_the_pods_that_stay(
    used: str, hard: str, there: int, leaving: int, state: str
) -> None:
    def pod(phase: str, **metadata: str) -> dict[str, Any]:
        return {"metadata": metadata, "status": {"phase": phase}}

    item = {
        "metadata": {"name": "todo"},
        "status": {"used": {"pods": used}, "hard": {"pods": hard}},
    }
    facts = Facts(deployed(), cast("Any", SimpleNamespace(items=lambda _: [item], namespace="x")))
    pods = [pod("Running")] * there + [pod("Succeeded"), pod("Failed")]
    pods += [pod("Running", deletionTimestamp="2026-01-31T09:00:00Z")] * leaving
    vars(facts).update(pods=pods)
    assert [finding.state for finding in quota(facts)] == [state]
