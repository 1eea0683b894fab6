"""The paths that connections take: Services and routes lead, NetworkPolicies allow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cluster_objects.json_tree import Json, part, parts
from tools.graph.policies import Outsider, allowed, outsiders
from tools.graph.resources import Resource

_FROM_OUTSIDE = {"NodePort", "LoadBalancer"}


@dataclass(frozen=True)
class Connection:
    """From a workload or an outsider to an object, or to an outsider."""

    source: Resource | Outsider
    target: Resource | Outsider
    label: str
    """The port, or the name that a route answers to."""


class Traffic:
    """Who connects to whom in a stack."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        """Sorts the resources.

        Args:
            resources: All resources of the stack.
        """
        self.workloads = [r for r in resources if r.is_workload]
        self._policies = [r for r in resources if r.kind == "NetworkPolicy"]
        self._services = [r for r in resources if r.is_object and r.kind == "Service"]
        self._routes = [r for r in resources if r.kind in {"Ingress", "HTTPRoute"}]

    def services(self, workload: Resource) -> list[Resource]:
        """Returns the Services that lead to a workload; a headless one leads nobody."""
        return [
            service
            for service in self._services
            if service.spec.get("clusterIP") != "None"
            and service.spec.get("selector")
            and part(service.spec, "selector").items() <= workload.pod_labels.items()
        ]

    def routes(self, workload: Resource) -> list[Resource]:
        """Returns the Ingresses and HTTPRoutes that lead to a workload's Services."""
        names = {service.metadata.get("name") for service in self.services(workload)}
        return [route for route in self._routes if names & set(_backends(route.spec))]

    def connections(self) -> list[Connection]:
        """Returns every connection once."""
        found = [
            *(it for workload in self.workloads for it in self._into(workload)),
            *(it for workload in self.workloads for it in self._between(workload)),
            *(it for workload in self.workloads for it in self._out(workload)),
        ]
        return list(dict.fromkeys(found))

    def _between(self, source: Resource) -> Iterator[Connection]:
        for target in self.workloads:
            for name, number in target.pod_ports.items():
                if target is not source and allowed(self._policies, source, target, name, number):
                    door, port = self._door(target, name, number)
                    yield Connection(source, door, str(port.get("port", number)))

    def _into(self, target: Resource) -> Iterator[Connection]:
        routes = self.routes(target)
        for outsider, admitted in outsiders(self._policies, "ingress", target):
            for name, number in target.pod_ports.items():
                if admitted not in {None, number}:
                    continue
                door, port = self._door(target, name, number)
                for route in routes:
                    if outsider.kind == "addresses" or outsider.name in _gateways(route):
                        yield Connection(Outsider.anybody(), route, ", ".join(_hosts(route)))
                if outsider.kind == "addresses":
                    if door.spec.get("type") in _FROM_OUTSIDE:
                        label = str(port.get("nodePort") or port["port"])
                        yield Connection(outsider, door, label)
                elif not any(outsider.name in _gateways(route) for route in routes):
                    yield Connection(outsider, door, str(port.get("port", number)))

    def _out(self, source: Resource) -> Iterator[Connection]:
        for outsider, port in outsiders(self._policies, "egress", source):
            yield Connection(source, outsider, str(port or ""))

    def _door(self, workload: Resource, name: str, number: int) -> tuple[Resource, Json]:
        """Returns the Service that leads to a port of a workload, or else the workload itself."""
        for service in self.services(workload):
            for port in parts(service.spec, "ports"):
                if port.get("targetPort", port["port"]) in {name, number}:
                    return service, port
        return workload, {}


def _backends(spec: Json) -> Iterator[str]:
    for rule in parts(spec, "rules"):
        yield from (str(it["name"]) for it in parts(rule, "backendRefs"))
        for path in parts(rule, "http", "paths"):
            yield str(part(path, "backend", "service").get("name"))


def _gateways(route: Resource) -> set[str]:
    """The namespaces of the gateways whose route it is."""
    return {str(it.get("namespace")) for it in parts(route.spec, "parentRefs")}


def _hosts(route: Resource) -> list[str]:
    names: list[str] = route.spec.get("hostnames") or []
    return [*names, *(str(it["host"]) for it in parts(route.spec, "rules") if it.get("host"))]
