"""What `validate` says when something is missing: policies, pods, Secrets, objects."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from ops.checks import objects, policies, probes
from ops.facts import Facts
from ops.findings import Finding
from ops.kube import ApiError

DENY = {"spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}}


class Cluster:
    def __init__(self, found: list[dict[str, Any]], labels: dict[str, str] | None) -> None:
        self.found, self.labels = found, labels

    def path(self, resource: str, group: str) -> str:
        return f"/{group}/{resource}"

    def items(self, path: str) -> list[dict[str, Any]]:
        if not path.endswith("nodes"):
            return self.found
        if self.labels is None:
            raise ApiError(403, "nodes is forbidden")
        return [{"metadata": {"labels": self.labels}}]


def check(found: list[dict[str, Any]], labels: dict[str, str] | None) -> Finding:
    cluster = cast("Any", Cluster(found, labels))
    (finding,) = policies(Facts(cast("Any", None), cluster))
    return finding


@pytest.mark.parametrize(
    ("labels", "state", "detail"),
    [
        ({"todo/network-policies": "enforced"}, "ok", "1, denied by default, enforced"),
        ({"todo/network-policies": "declared"}, "warning", "does not enforce them"),
        ({}, "ok", "1, denied by default"),
        (None, "ok", "1, denied by default"),
    ],
)
def test_enforcement_is_told_where_it_is_known(
    labels: dict[str, str] | None, state: str, detail: str
) -> None:
    finding = check([DENY], labels)
    assert finding.state == state
    assert finding.detail.endswith(detail)


def test_without_a_denying_policy_nothing_else_counts() -> None:
    assert check([], {"todo/network-policies": "enforced"}).state == "failed"


def test_no_object_and_no_pod_are_not_fine() -> None:
    stack = SimpleNamespace(objects=list, workloads={"backend": "backend"})
    facts = Facts(cast("Any", stack), cast("Any", SimpleNamespace(find=lambda _: None)))
    assert [finding.state for finding in objects(facts)] == ["failed"]
    vars(facts).update(pods=[], workloads={"backend": {}})
    assert [finding.state for finding in probes(facts)] == ["failed"]
