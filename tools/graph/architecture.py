"""The picture of a stack, drawn from its resources alone."""

from collections.abc import Sequence

from tools.graph.boxes import Boxes
from tools.graph.cards import card_id, image_card, mounted_claims, source_card, target_card
from tools.graph.diagram import Arrow, Card, Diagram
from tools.graph.policies import Outsider
from tools.graph.resources import Resource
from tools.graph.traffic import Connection, Traffic


def picture(resources: Sequence[Resource]) -> Diagram:
    """Returns the diagram of a stack.

    Args:
        resources: All its resources.
    """
    traffic = Traffic(resources)
    ways = [(*_ends(it, resources), it.label) for it in traffic.connections()]
    outside = dict.fromkeys(end for way in ways for end in way[:2] if isinstance(end, Card))
    stack = next(r for r in resources if r.type == "pulumi:pulumi:Stack")
    return Diagram(
        stack.pulumi_name,
        tuple(outside),
        Boxes(resources, traffic).under(stack),
        (
            *(Arrow(_id(source), _id(target), label) for source, target, label in ways),
            *(arrow for workload in traffic.workloads for arrow in _uses(workload, resources)),
        ),
    )


def _ends(
    connection: Connection, resources: Sequence[Resource]
) -> tuple[Resource | Card, Resource | Card]:
    source, target = connection.source, connection.target
    return (
        source_card(source) if isinstance(source, Outsider) else source,
        target_card(target, connection.label, resources)
        if isinstance(target, Outsider)
        else target,
    )


def _id(end: Resource | Card) -> str:
    return end.id if isinstance(end, Card) else card_id(end)


def _uses(workload: Resource, resources: Sequence[Resource]) -> list[Arrow]:
    images = [r for r in resources if r.is_image and r.urn in workload.dependencies]
    used = [image_card(image, resources).id for image in images]
    used += mounted_claims(workload, resources)
    return [Arrow(card_id(workload), it, traffic=False) for it in used]
