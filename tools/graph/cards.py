"""The cards of a picture: of each thing its kind, its name and one detail."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from cluster_objects.json_tree import Json, part, parts
from tools.graph.diagram import Card
from tools.graph.policies import Outsider
from tools.graph.resources import Resource

CLAIM = "PersistentVolumeClaim"


def card_id(resource: Resource) -> str:
    """Returns the id of a resource's card."""
    return f"{resource.kind}/{resource.name}"


def card(resource: Resource, resources: Sequence[Resource]) -> Card:
    """Returns a resource's card."""
    return Card(card_id(resource), resource.kind, resource.name, _detail(resource, resources))


def image_card(image: Resource, resources: Sequence[Resource]) -> Card:
    """Returns an image's card, which is its component's if that makes nothing else."""
    siblings = [r for r in resources if r.parent == image.parent]
    owner = next((r for r in resources if r.urn == image.parent and r.is_component), image)
    shown = owner if siblings == [image] else image
    return Card(card_id(shown), shown.kind, shown.name)


def own_claims(workload: Resource) -> list[Card]:
    """Returns the cards of the claims that a StatefulSet makes by itself."""
    return [
        Card(f"{CLAIM}/{name}", CLAIM, name, _size(part(template, "spec")))
        for template in parts(workload.spec, "volumeClaimTemplates")
        for name in [f"{template['metadata']['name']}-{workload.name}-0"]
    ]


def mounted_claims(workload: Resource, resources: Sequence[Resource]) -> list[str]:
    """Returns the ids of the cards of a workload's claims; others than the stack's have none."""
    claims = {r.metadata.get("name"): card_id(r) for r in resources if r.kind == CLAIM}
    volumes = parts(workload.template, "spec", "volumes")
    named = [part(it, "persistentVolumeClaim").get("claimName") for it in volumes]
    return [
        *(claims[name] for name in named if name in claims),
        *(it.id for it in own_claims(workload)),
    ]


def source_card(source: Outsider) -> Card:
    """Returns the card of an outsider who connects to the stack."""
    if source.kind == "namespace":
        return Card(f"from/{source.name}", "Namespace", source.name)
    anybody = source == Outsider.anybody()
    return Card(f"from/{source.name}", "", "Clients" if anybody else source.name)


def target_card(target: Outsider, port: str, resources: Sequence[Resource]) -> Card:
    """Returns the card of an outsider whom the stack connects to; its outputs name a database."""
    identity = f"to/{target.name}:{port}"
    outputs = next(r for r in resources if r.type == "pulumi:pulumi:Stack").outputs
    address = urlsplit(str(outputs.get("databaseAddress") or ""))
    if target.kind == "namespace":
        return Card(identity, "Namespace", target.name)
    if port and port == str(address.port):
        return Card(identity, "External database", address.hostname or "", target.name)
    anybody = target == Outsider.anybody()
    return Card(identity, "", "Any address" if anybody else target.name)


def _detail(resource: Resource, resources: Sequence[Resource]) -> str:
    spec = resource.spec
    if resource.kind in {"Deployment", "StatefulSet"}:
        pods = _pods(resource, resources)
        return f"{pods} pod{'s' * (pods != '1')}"
    if resource.kind == CLAIM:
        return _size(spec)
    if resource.kind == "HTTPRoute":
        return "Gateway " + ", ".join(str(it["name"]) for it in parts(spec, "parentRefs"))
    keys = {"Service": "type", "CronJob": "schedule", "Ingress": "ingressClassName"}
    return str(spec.get(keys.get(resource.kind, "")) or "")


def _pods(workload: Resource, resources: Sequence[Resource]) -> str:
    for scaler in resources:
        target = part(scaler.spec, "scaleTargetRef")
        if (target.get("kind"), target.get("name")) == (workload.kind, workload.name):
            return f"{scaler.spec.get('minReplicas', 1)}–{scaler.spec['maxReplicas']}"  # noqa: RUF001
    return str(workload.spec.get("replicas", 1))


def _size(claim_spec: Json) -> str:
    return str(part(claim_spec, "resources", "requests").get("storage", ""))
