"""What differs between the cluster and what Pulumi remembers."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from pulumi.automation.events import OpType, StepEventMetadata

from cluster_objects.json_tree import part
from ops.facts import Facts
from ops.findings import Finding, failed, ok
from ops.repair import REPAIR
from ops.stack import Stack

_STEP = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.\[]+)')
_HIDDEN = "(secret)"


@dataclass(frozen=True)
class Difference:
    """One field of one object, or a whole object."""

    kind: str
    name: str
    field: str
    """Empty: the whole object."""
    wanted: str
    found: str

    def __str__(self) -> str:
        """The difference in one line."""
        if not self.field:
            return f"{self.kind} {self.name}: {self.found}"
        return f"{self.kind} {self.name}: {self.field} is {self.found}, Pulumi has {self.wanted}"


def find_drift(stack: Stack, *, full: bool = False) -> list[Difference]:
    """Returns every difference; changes neither the state nor the cluster.

    Args:
        stack: The stack.
        full: Compare with the program too, not with the state alone.
    """
    if full:
        return planned(stack.pulumi.preview())
    return differences(stack.pulumi.preview_refresh())


def planned(steps: Iterable[StepEventMetadata]) -> list[Difference]:
    """Returns what `pulumi up --refresh` would change, from the steps of its preview."""
    found: list[Difference] = []
    for step in steps:
        kind, name = _kind(step), step.urn.rsplit("::", 1)[-1]
        match step.op:
            case OpType.CREATE:
                found.append(Difference(kind, name, "", "present", "is missing"))
            case OpType.DELETE:
                found.append(Difference(kind, name, "", "absent", "is left over"))
            case OpType.UPDATE | OpType.REPLACE:
                wanted = step.new.inputs if step.new else None
                there = step.old.outputs if step.old else None
                found += _fields(step, name, wanted, there)
            case _:
                pass
    return found


def differences(steps: Iterable[StepEventMetadata]) -> list[Difference]:
    """Returns the differences in what a refresh found."""
    found: list[Difference] = []
    for step in steps:
        old = step.old.outputs if step.old else None
        name = part(old, "metadata").get("name") or step.urn.rsplit("::", 1)[-1]
        if step.op == OpType.DELETE:
            found.append(Difference(_kind(step), name, "", "present", "is gone"))
        else:
            found += _fields(step, name, old, step.new.outputs if step.new else None)
    return found


def _kind(step: StepEventMetadata) -> str:
    return step.type.rsplit(":", 1)[-1]


def _fields(step: StepEventMetadata, name: str, wanted: object, there: object) -> list[Difference]:
    kind, secret = _kind(step), _kind(step) == "Secret"
    return [
        Difference(
            kind,
            name,
            path,
            _HIDDEN if secret else show(value_at(wanted, path)),
            _HIDDEN if secret else show(value_at(there, path)),
        )
        for path in step.detailed_diff or ()
    ]


def value_at(tree: object, path: str) -> object:
    """Returns what is at a path like `spec.ports[0].port` or `metadata.labels["a.b/c"]`."""
    here: Any = tree
    for quoted, index, plain in _STEP.findall(path):
        if index and isinstance(here, list):
            items = cast("list[Any]", here)
            here = items[int(index)] if int(index) < len(items) else None
        elif isinstance(here, dict):
            here = cast("dict[str, Any]", here).get(quoted or plain or index)
        else:
            return None
    return here


def show(value: object) -> str:
    """Returns a value, shortened."""
    if value is None:
        return "absent"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."


def drift_findings(facts: Facts) -> Iterator[Finding]:
    """The cluster is as Pulumi left it."""
    found = find_drift(facts.stack)
    for difference in found:
        yield failed("drift", str(difference), "changed by hand", REPAIR)
    if not found:
        yield ok("drift", "none: the cluster is as Pulumi left it")
