"""Rules that some resources break, because of what they are for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from policy.rules import Resource, Rule, StackRule


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """One rule that is not asked of some resources."""

    rule: str
    resources: str
    """Pulumi names, `*` for any characters: a chart's objects begin with the chart's name."""
    why: str

    def covers(self, rule: str, resource: Resource) -> bool:
        """Tells whether a rule is not asked of a resource."""
        return self.rule == rule and fnmatchcase(resource.name, self.resources)


WAIVERS = (
    Waiver(
        rule="images-signed",
        resources="todo-postgres-*",
        why="Images of PostgreSQL and its exporter are their makers', who have no key of ours.",
    ),
    Waiver(
        rule="host-untouched",
        resources="logs-agent-daemon-set",
        why="The lines of a node's containers are in its files alone; it may only read them.",
    ),
    Waiver(
        rule="namespace-restricted",
        resources="logs-agent-namespace",
        why="*restricted* and *baseline* allow no folder of the node; only the agent is in it.",
    ),
    Waiver(
        rule="no-service-account-token",
        resources="logs-agent-daemon-set",
        why="It asks the API server for the pods of its node.",
    ),
    Waiver(
        rule="no-service-account-token",
        resources="secret-store:*",
        why="It asks the API server for ExternalSecrets, and writes Secrets.",
    ),
    Waiver(
        rule="probes-differ",
        resources="secret-store:*",
        why="The chart has no probes for the operator, and one for each of the other two.",
    ),
    Waiver(
        rule="updates-without-gap",
        resources="secret-store:*",
        why="The chart has no such value; one pod more or less delays a refresh by seconds.",
    ),
    Waiver(
        rule="disruption-budgets",
        resources="secret-store:*",
        why="The chart's budgets of one pod would block draining its node for ever.",
    ),
    Waiver(
        rule="labels-present",
        resources="secret-store-definitions*",
        why="The makers' definitions have no labels.",
    ),
    Waiver(
        rule="no-service-account-token",
        resources="metrics-server:*",
        why="It asks the API server for nodes and pods.",
    ),
    Waiver(
        rule="probes-differ",
        resources="metrics-server:*",
        why="The chart has no startup probe.",
    ),
    Waiver(
        rule="no-service-account-token",
        resources="monitoring-prometheus-deployment",
        why="It asks the API server for the pods that are to be asked.",
    ),
    Waiver(
        rule="no-service-account-token",
        resources="monitoring-kube-state-metrics-deployment",
        why="It watches the objects that its metrics are about.",
    ),
    Waiver(
        rule="updates-without-gap",
        resources="monitoring-prometheus-deployment",
        why="Two pods must not write to one volume; metrics have a gap of seconds.",
    ),
    Waiver(
        rule="updates-without-gap",
        resources="monitoring-alertmanager-deployment",
        why="Two pods must not write to one volume; an alert is told seconds later.",
    ),
    Waiver(
        rule="no-service-account-token",
        resources="gateway:*",
        why="The controller makes the proxies, and is told of routes by the API server.",
    ),
    Waiver(
        rule="no-service-account-token",
        resources="gateway-controller-certificates-job",
        why="It keeps the keys that it makes in Secrets.",
    ),
    Waiver(
        rule="labels-present",
        resources="gateway:*",
        why="The chart's PodDisruptionBudget has no labels.",
    ),
    Waiver(
        rule="labels-present",
        resources="gateway-*-definitions:*",
        why="The definitions are taken as they are published.",
    ),
    Waiver(
        rule="updates-without-gap",
        resources="registry-deployment",
        why="Its volume is one node's, and another pod may have to be on another.",
    ),
    Waiver(
        rule="no-service-account-token",
        resources="postgres-operator-*",
        why="It asks the API server for Clusters, and makes their pods.",
    ),
    Waiver(
        rule="labels-present",
        resources="postgres-operator-*:*",
        why="The makers' definitions, rights and webhooks are taken as they are published.",
    ),
)
"""All of them: of the add-ons, and of the images that others make for the application."""


def violations(rule: Rule, resource: Resource) -> Iterator[str]:
    """Yields how a resource breaks a rule that is asked of it."""
    if not any(it.covers(rule.name, resource) for it in WAIVERS):
        yield from rule.check(resource)


def stack_violations(rule: StackRule, resources: Sequence[Resource]) -> Iterator[str]:
    """Yields how a stack breaks a rule, by those of its resources of which it is asked."""
    asked = [it for it in resources if not any(w.covers(rule.name, it) for w in WAIVERS)]
    yield from rule.check(asked)
