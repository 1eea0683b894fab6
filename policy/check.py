"""Applies the rules to a saved preview.

`pulumi preview --json --show-sames | python -m policy.check`
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

from policy.rules import Resource, violations


def resources_of(preview: Mapping[str, Any]) -> list[Resource]:
    """Returns the resources that a preview leaves in the stack."""
    states: list[Any] = [step.get("newState") for step in preview.get("steps") or ()]
    return [
        Resource(
            type=state["type"],
            name=state["urn"].rsplit("::", 1)[-1],
            properties=state.get("inputs") or {},
        )
        for state in states
        if state
    ]


def main() -> int:
    """Prints the violations in the preview on standard input; returns 1 if there are any."""
    found = violations(resources_of(json.load(sys.stdin)))
    print("\n".join(found) or "all rules kept")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
