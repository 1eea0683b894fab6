"""What is said where an object is there already and the stack did not make it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from .mark import Mark
from .remedies import Remedies


def refusal(
    kind: str,
    path: str,
    found: Mapping[str, Any] | None,
    mark: Mark,
    remedies: Remedies,
    *,
    deployed: bool = False,
) -> pulumi.RunError:
    """Returns the error that says whose an object is, and how to go on.

    Args:
        kind: Of the object.
        path: `namespace/name`, or the name alone.
        found: The object in the cluster.
        mark: The stack's own.
        remedies: The program's words.
        deployed: Whether the stack has made it once.
    """
    other = mark.of(found)
    namespace, _, name = path.rpartition("/")
    whose = f"it is the stack {other}'s" if other else "it has no mark of a stack"
    if other is None and kind in remedies.present:
        return _refused(kind, path, mark, whose, [remedies.present[kind]])
    ways = [remedies.choose_namespace]
    if deployed:
        # Moving would delete by name, in the namespace that is the other's by now.
        forget = "pulumi stack rm --force --preserve-config"
        ways = [f"if what this stack made is gone, forget it with `{forget}`, then {ways[0]}"]
    if kind == "Namespace" and other is None and remedies.adopt_namespace:
        ways.append(f"{remedies.adopt_namespace} to deploy into it as it is")
    content = " with all that is in it" if kind in ("Namespace", "PersistentVolumeClaim") else ""
    ways.append("destroy that stack first" if other else f"delete it{content}")
    # A stack of the same name: perhaps this one, before its passphrase was changed.
    if other is None or other.split("/")[:3] == mark.owner.split("/")[:3]:
        at = f"--namespace {namespace} " if namespace else ""
        ways.append(
            "if it is this stack's own all the same, say so with: kubectl annotate "
            f"--overwrite {at}{kind.lower()} {name} {mark.key}={mark.owner}"
        )
    return _refused(kind, path, mark, whose, ways)


def _refused(kind: str, path: str, mark: Mark, whose: str, ways: Sequence[str]) -> pulumi.RunError:
    return pulumi.RunError(
        f"{kind} {path} is there already and this stack ({mark.owner}) "
        f"did not make it ({whose}), so it was left as it is: {'; or '.join(ways)}"
    )
