"""The policy pack's rules: every stack keeps them, and each rule sees what breaks it."""

import copy
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from policy.rules import RULES, STACK_RULES, Resource
from tests.programs import STACKS, run_program, stack_settings
from tests.recording import Recording

Change = Callable[[dict[str, Any]], None]


def resources_of(recording: Recording) -> list[Resource]:
    return [
        Resource(type=r.type, name=r.name, properties=copy.deepcopy(r.inputs))
        for r in recording.resources
    ]


def violations(resources: Sequence[Resource]) -> list[str]:
    single = [
        f"{rule.name}: {resource.kind} {resource.name} {message}"
        for resource in resources
        for rule in RULES
        for message in rule.check(resource)
    ]
    whole = [f"{rule.name}: {message}" for rule in STACK_RULES for message in rule.check(resources)]
    return single + whole


@pytest.fixture(scope="module")
def minikube() -> list[Resource]:
    return resources_of(run_program(stack_settings("minikube")))


@pytest.mark.parametrize("stack", STACKS)
def test_every_stack_keeps_every_rule(stack: str) -> None:
    assert violations(resources_of(run_program(stack_settings(stack)))) == []


def container(properties: dict[str, Any]) -> dict[str, Any]:
    return properties["spec"]["template"]["spec"]["containers"][0]


def pod(properties: dict[str, Any]) -> dict[str, Any]:
    return properties["spec"]["template"]["spec"]


BREAKS: list[tuple[str, str, Change]] = [
    ("resources-bounded", "Deployment", lambda p: container(p)["resources"]["limits"].pop("cpu")),
    ("resources-bounded", "StatefulSet", lambda p: container(p).pop("resources")),
    (
        "resources-bounded",
        "CronJob",
        lambda p: p["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0].pop(
            "resources"
        ),
    ),
    (
        "containers-restricted",
        "Deployment",
        lambda p: container(p)["securityContext"].update(allowPrivilegeEscalation=True),
    ),
    ("containers-restricted", "Deployment", lambda p: pod(p)["securityContext"].clear()),
    ("containers-restricted", "Deployment", lambda p: container(p).pop("securityContext")),
    (
        "containers-restricted",
        "StatefulSet",
        lambda p: container(p)["securityContext"].update(capabilities={"add": ["NET_ADMIN"]}),
    ),
    (
        "containers-restricted",
        "StatefulSet",
        lambda p: container(p)["securityContext"].update(privileged=True),
    ),
    ("host-untouched", "Deployment", lambda p: pod(p).update(hostNetwork=True)),
    (
        "host-untouched",
        "StatefulSet",
        lambda p: pod(p)["volumes"].append({"name": "etc", "hostPath": {"path": "/etc"}}),
    ),
    (
        "no-service-account-token",
        "Deployment",
        lambda p: pod(p).update(automountServiceAccountToken=True),
    ),
    ("no-service-account-token", "Deployment", lambda p: pod(p).pop("serviceAccountName")),
    (
        "no-service-account-token",
        "ServiceAccount",
        lambda p: p.pop("automountServiceAccountToken"),
    ),
    ("images-fixed", "Deployment", lambda p: container(p).update(image="todo/backend:latest")),
    ("images-fixed", "Deployment", lambda p: container(p).update(image="registry:5000/backend")),
    ("probes-differ", "Deployment", lambda p: container(p).pop("startupProbe")),
    (
        "probes-differ",
        "Deployment",
        lambda p: container(p).update(livenessProbe=container(p)["readinessProbe"]),
    ),
    (
        "no-secrets-in-environment",
        "Deployment",
        lambda p: container(p)["env"].append({"name": "DATABASE_PASSWORD", "value": "x"}),
    ),
    (
        "no-secrets-in-environment",
        "Deployment",
        lambda p: container(p)["env"].append(
            {"name": "X", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
        ),
    ),
    (
        "updates-without-gap",
        "Deployment",
        lambda p: p["spec"]["strategy"]["rollingUpdate"].update(maxUnavailable="25%"),
    ),
    (
        "claims-retained",
        "StatefulSet",
        lambda p: p["spec"].pop("persistentVolumeClaimRetentionPolicy"),
    ),
    ("labels-present", "Service", lambda p: p["metadata"]["labels"].clear()),
    ("namespace-restricted", "Namespace", lambda p: p["metadata"]["labels"].clear()),
    ("services-not-load-balanced", "Service", lambda p: p["spec"].update(type="LoadBalancer")),
]


@pytest.mark.parametrize(
    ("rule", "kind", "change"), BREAKS, ids=lambda it: it if isinstance(it, str) else ""
)
def test_rule_sees_what_breaks_it(
    minikube: list[Resource], rule: str, kind: str, change: Change
) -> None:
    broken = copy.deepcopy(next(r for r in minikube if r.kind == kind))
    check_rule = next(r.check for r in RULES if r.name == rule)
    assert list(check_rule(broken)) == []
    change(cast("dict[str, Any]", broken.properties))
    assert list(check_rule(broken)) != []


def test_ingress_needs_tls() -> None:
    rule = next(r for r in RULES if r.name == "ingress-encrypted")
    spec: dict[str, Any] = {"rules": [{"host": "a.example"}], "tls": [{"hosts": ["a.example"]}]}
    ingress = Resource(
        type="kubernetes:networking.k8s.io/v1:Ingress", name="a", properties={"spec": spec}
    )
    assert list(rule.check(ingress)) == []
    spec["tls"] = []
    assert list(rule.check(ingress)) == ["host a.example has no TLS"]


@pytest.mark.parametrize(
    ("rule", "kind"),
    [("default-deny", "NetworkPolicy"), ("disruption-budgets", "PodDisruptionBudget")],
)
def test_stack_rule_sees_what_is_missing(minikube: list[Resource], rule: str, kind: str) -> None:
    check_rule = next(r.check for r in STACK_RULES if r.name == rule)
    assert list(check_rule(minikube)) == []
    assert list(check_rule([r for r in minikube if r.kind != kind])) != []


def test_budget_that_blocks_draining_is_seen(minikube: list[Resource]) -> None:
    changed = copy.deepcopy(minikube)
    for resource in changed:
        if resource.kind == "PodDisruptionBudget":
            resource.properties["spec"].pop("unhealthyPodEvictionPolicy")
    assert any("draining" in line for line in violations(changed))


def test_every_rule_has_a_breaking_test() -> None:
    tested = {rule for rule, _, _ in BREAKS} | {"ingress-encrypted"}
    assert {rule.name for rule in RULES} == tested
