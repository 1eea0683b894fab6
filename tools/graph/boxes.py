"""The boxes of a picture: components and namespaces, with their objects in them."""

from collections import Counter
from collections.abc import Sequence

from cluster_objects.json_tree import part
from tools.graph.cards import CLAIM, card, image_card, own_claims
from tools.graph.diagram import Box, Pile
from tools.graph.resources import Resource
from tools.graph.traffic import Traffic

_NOT_LISTED = {"Namespace", "ServiceAccount", CLAIM}
_LAYER = "app.kubernetes.io/component"


class Boxes:
    """Sorts a stack's resources into boxes."""

    def __init__(self, resources: Sequence[Resource], traffic: Traffic) -> None:
        """Finds what stands on top of each workload.

        Args:
            resources: All resources of the stack.
            traffic: What leads to its workloads.
        """
        self._resources = resources
        self._doors = {w.urn: [*traffic.routes(w), *traffic.services(w)] for w in traffic.workloads}
        self._piled = {door.urn for doors in self._doors.values() for door in doors}

    def under(self, parent: Resource) -> tuple[Box | Pile, ...]:
        """Returns what is drawn of a resource's children."""
        return self._box(parent.kind, parent.name, self._children(parent)).members

    def _children(self, parent: Resource) -> list[Resource]:
        return [r for r in self._resources if r.parent == parent.urn]

    def _box(self, kind: str, name: str, children: Sequence[Resource]) -> Box:
        members: list[Box | Pile] = []
        remaining = list(children)
        for namespace in [r for r in children if r.is_object and r.kind == "Namespace"]:
            inside = [r for r in remaining if self._is_in(r, namespace.name)]
            remaining = [r for r in remaining if r not in inside]
            members.append(self._box("Namespace", namespace.name, inside))
        for resource in remaining:
            members += self._drawn(resource)
        layers = [part(r.metadata, "labels").get(_LAYER) for r in remaining if r.is_workload]
        return Box(
            kind, name, str((layers or [""])[0]), tuple(members), self._rest(name, remaining)
        )

    def _is_in(self, resource: Resource, namespace: str) -> bool:
        return resource.metadata.get("namespace") == namespace or any(
            self._is_in(child, namespace) for child in self._children(resource)
        )

    def _drawn(self, resource: Resource) -> list[Box | Pile]:
        if resource.is_image:
            return [Pile((image_card(resource, self._resources),))]
        if resource.is_component:
            children = self._children(resource)
            if len(children) == 1 and children[0].is_image:
                return self._drawn(children[0])
            return [self._box(resource.kind, resource.name, children)] if children else []
        if resource.is_workload:
            pile = [card(r, self._resources) for r in (*self._doors[resource.urn], resource)]
            return [Pile(tuple(pile)), *(Pile((claim,)) for claim in own_claims(resource))]
        if resource.is_object and resource.kind == CLAIM:
            return [Pile((card(resource, self._resources),))]
        return []

    def _rest(self, name: str, siblings: Sequence[Resource]) -> tuple[str, ...]:
        """Returns the objects that explain no path: listed, and counted if there are several."""
        rest = [
            r
            for r in siblings
            if r.is_object
            and not r.is_workload
            and r.urn not in self._piled
            and r.kind not in _NOT_LISTED
        ]
        counts = Counter(r.kind for r in rest)
        lines = {r.kind: r.kind if r.name == name else f"{r.kind} {r.name}" for r in rest}
        several = {kind: f"{n} × {kind}" for kind, n in counts.items() if n > 1}  # noqa: RUF001
        return tuple(text for _, text in sorted((lines | several).items()))
