"""The values of the chart: what each stack says, under a name that a person can guess."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, cast

from tools.export.nodes import Name
from tools.export.objects import Object
from tools.export.plain import component

_WORKLOADS = ("Deployment", "StatefulSet", "CronJob")
"""Kinds of which a component has one: what they say is the component's own."""
_UNSAID = ("metadata", "spec", "template", "jobTemplate")
"""Steps of a path that say nothing to a person."""
_CONTAINERS = ("containers", "initContainers")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where something is in an object."""

    component: str
    kind: str
    suffix: str
    """What the object's name has besides the component's."""
    path: tuple[str, ...] = ()

    @classmethod
    def of(cls, manifest: Object, name: str) -> Self:
        """Returns the place of an object itself, which is called `name`."""
        own = component(manifest)
        return cls(component=own, kind=manifest["kind"], suffix=name.removeprefix(own))

    def at(self, *steps: str) -> "Place":
        """Returns a place in this one."""
        return Place(
            component=self.component,
            kind=self.kind,
            suffix=self.suffix,
            path=(*self.path, *steps),
        )

    @property
    def names(self) -> Sequence[Name]:
        """Names for what stands here, the shortest first; the last is no other place's."""
        own = camel(f"{self.suffix} {self.kind}")
        steps = _pods_own(_without_containers(self.path))
        short = [it for it in steps if it not in _UNSAID]
        # What says what an item is: the variable of a name, and not its value.
        short = short[:-1] if short[-1:] == ["value"] else short
        roots = ((), (own,)) if self.kind in _WORKLOADS and not self.suffix else ((own,),)
        return [
            *((camel(self.component), *root, *map(camel, short)) for root in roots),
            (camel(self.component), own, *map(camel, self.path)),
        ]


def _without_containers(path: Sequence[str]) -> Sequence[str]:
    """Returns a path without the container that it goes through: most have but one."""
    for position, step in enumerate(path[:-1]):
        if step in _CONTAINERS:
            return [*path[:position], *path[position + 2 :]]
    return path


def _pods_own(path: Sequence[str]) -> Sequence[str]:
    """Returns a path in which labels and annotations of pods are told from those of the object."""
    for position, step in enumerate(path[:-2]):
        if step == "template" and path[position + 1] == "metadata":
            return [*path[:position], f"pod {path[position + 2]}", *path[position + 3 :]]
    return path


def camel(text: str) -> str:
    """Returns a text as a name in Go's templates: httpRoute of HTTPRoute."""
    first, *more = re.split(r"[^A-Za-z0-9_]+", text.strip(" -"))
    if not first.isupper():
        first = re.sub(r"^[A-Z]+(?=[A-Z][a-z])|^[A-Z]", lambda it: it[0].lower(), first)
    return first + "".join(it[:1].upper() + it[1:] for it in more)


@dataclass
class Values:
    """All values of the chart."""

    stacks: Sequence[str]
    by_name: dict[Name, Mapping[str, Any]] = field(default_factory=dict[Name, Mapping[str, Any]])
    """What each stack says."""

    def keep(self, names: Sequence[Name], said: Mapping[str, Any]) -> Name:
        """Keeps what stacks say, and returns under which name.

        Two places where all stacks say the same are one value: who changes it, changes both.

        Args:
            names: Names for it, the best first; the last is surely free.
            said: By stack. Those that have no such object get what the first says that has one, so
                that it is there when a person enables the object.
        """
        default = next(iter(said.values()))
        whole = {stack: said.get(stack, default) for stack in self.stacks}
        for name in names:
            if self.by_name.get(name) == whole:
                return name
            if self._is_free(name):
                self.by_name[name] = whole
                return name
        raise AssertionError(f"{names[-1]} is two values")

    def _is_free(self, name: Name) -> bool:
        shared = (min(len(name), len(it)) for it in self.by_name)
        return all(
            name[:length] != it[:length] for it, length in zip(self.by_name, shared, strict=True)
        )

    def of(self, stack: str) -> dict[str, Any]:
        """Returns all that a stack says."""
        return _nested({name: said[stack] for name, said in self.by_name.items()})

    def overlay(self, stack: str, default: str) -> dict[str, Any]:
        """Returns what a stack says where stacks differ, to be laid over another's values."""
        return _nested(
            {
                name: _over(said[default], said[stack])
                for name, said in self.by_name.items()
                if any(it != said[default] for it in said.values())
            }
        )


def _over(default: Any, own: Any) -> Any:
    """Returns what makes `default` become `own`: Helm merges mappings, and null takes a key out."""
    if not (isinstance(default, dict) and isinstance(own, dict)):
        return own
    before, after = cast("dict[str, Any]", default), cast("dict[str, Any]", own)
    return {
        **dict.fromkeys(before, None),
        **{key: _over(before.get(key), it) for key, it in after.items()},
    }


def _nested(by_name: Mapping[Name, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name in sorted(by_name):
        branch = tree
        for step in name[:-1]:
            branch = branch.setdefault(step, {})
        branch[name[-1]] = by_name[name]
    return tree
