"""What `validate` says when something is missing: pods, Secrets, objects."""

from types import SimpleNamespace
from typing import Any, cast

from ops.checks import objects, probes
from ops.facts import Facts


def test_no_object_and_no_pod_are_not_fine() -> None:
    stack = SimpleNamespace(objects=list, workloads={"backend": "backend"})
    facts = Facts(cast("Any", stack), cast("Any", SimpleNamespace(find=lambda _: None)))
    assert [finding.state for finding in objects(facts)] == ["failed"]
    vars(facts).update(pods=[], workloads={"backend": {}})
    assert [finding.state for finding in probes(facts)] == ["failed"]
