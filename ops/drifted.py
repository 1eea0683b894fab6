"""What differs between the cluster and what Pulumi remembers."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from ops.facts import Facts
from ops.findings import Finding, failed, ok
from ops.json_tree import part, parts
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
        return planned(json.loads(stack.pulumi.text("preview", "--refresh", "--json")))
    return differences(json.loads(stack.pulumi.text("refresh", "--preview-only", "--json")))


def planned(preview: Mapping[str, Any]) -> list[Difference]:
    """Returns what `pulumi up --refresh` would change, from the text of its preview."""
    found: list[Difference] = []
    for step in parts(preview, "steps"):
        kind = str(step["urn"]).split("::")[-2].rsplit(":", 1)[-1]
        name = str(step["urn"]).rsplit("::", 1)[-1]
        operation = step["op"]
        if operation == "create":
            found.append(Difference(kind, name, "", "present", "is missing"))
        elif operation == "delete":
            found.append(Difference(kind, name, "", "absent", "is left over"))
        elif operation in {"update", "replace"}:
            for path in part(step, "detailedDiff"):
                wanted = show(value_at(part(step, "newState", "inputs"), path))
                there = show(value_at(part(step, "oldState", "outputs"), path))
                if kind == "Secret":
                    wanted = there = _HIDDEN
                found.append(Difference(kind, name, path, wanted, there))
    return found


def differences(preview: Mapping[str, Any]) -> list[Difference]:
    """Returns the differences in the text of `pulumi refresh --preview-only --json`."""
    found: list[Difference] = []
    for step in parts(preview, "steps"):
        name = str(step["urn"]).rsplit("::", 1)[-1]
        old = part(step, "oldState", "outputs")
        kind = old.get("kind") or str(step["urn"]).split("::")[-2].rsplit(":", 1)[-1]
        name = part(old, "metadata").get("name") or name
        if step["op"] == "delete":
            found.append(Difference(kind, name, "", "present", "is gone"))
            continue
        new = part(step, "newState", "outputs")
        for path in part(step, "detailedDiff"):
            hidden = kind == "Secret"
            found.append(
                Difference(
                    kind,
                    name,
                    path,
                    _HIDDEN if hidden else show(value_at(old, path)),
                    _HIDDEN if hidden else show(value_at(new, path)),
                )
            )
    return found


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
