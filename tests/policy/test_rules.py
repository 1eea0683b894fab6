"""The policy pack's rules: every stack keeps them, and each rule sees what breaks it."""

import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from policy.rules import RULES, STACK_RULES, Resource
from policy.waivers import stack_violations
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
    ("host-untouched", "Deployment", lambda p: container(p)["ports"][0].update(hostPort=80.0)),
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
        lambda p: container(p).update(envFrom=[{"secretRef": {"name": "s"}}]),
    ),
    (
        "no-secrets-in-environment",
        "CronJob",
        lambda p: container(p["spec"]["jobTemplate"])["env"].append(
            {"name": "AWS_SECRET_ACCESS_KEY", "value": "x"}
        ),
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


IMAGES_SIGNED = next(it.check for it in STACK_RULES if it.name == "images-signed")


@pytest.fixture(scope="module")
def cloud() -> list[Resource]:
    return resources_of(run_program(stack_settings("cloud")))


def test_an_image_without_a_signature_is_refused_in_production(cloud: list[Resource]) -> None:
    assert list(IMAGES_SIGNED(cloud)) == []
    unsigned = [it for it in cloud if it.name != "todo-backend-image-signed"]
    (said, migration) = IMAGES_SIGNED(unsigned)
    assert said.startswith("container backend of todo-backend-deployment has an image without")
    assert migration.startswith("container backend-init of todo-backend-deployment")


def test_an_image_by_tag_is_refused_in_production_whoever_signed_it(cloud: list[Resource]) -> None:
    tagged = copy.deepcopy(cloud)
    for it in tagged:
        if it.name == "todo-frontend-image-signed":
            cast("dict[str, Any]", it.properties)["reference"] = "registry.example.com/frontend:1"
        if it.name == "todo-frontend-deployment":
            container(cast("dict[str, Any]", it.properties))["image"] = (
                "registry.example.com/frontend:1"
            )
    assert [it.split()[1] for it in IMAGES_SIGNED(tagged)] == ["frontend"]


def in_preview(resources: Sequence[Resource]) -> list[Resource]:
    """Returns resources as the policy pack gets them where their images are yet to be built."""
    found = copy.deepcopy(resources)
    for it in found:
        properties = cast("dict[str, Any]", it.properties)
        if it.kind == "SignedImage":
            properties["reference"] = UNKNOWN_STRING_VALUE
        if it.name in ("todo-backend-deployment", "todo-frontend-deployment"):
            for container in [
                it
                for key in ("containers", "initContainers")
                for it in pod(properties).get(key, [])
            ]:
                container["image"] = UNKNOWN_STRING_VALUE
    return [
        dataclasses.replace(it, properties=unknown_checking_proxy(dict(it.properties)))
        for it in found
    ]


def test_an_image_that_is_yet_to_be_built_is_refused_by_the_preview_unless_it_will_be_signed(
    cloud: list[Resource],
) -> None:
    assert list(IMAGES_SIGNED(in_preview(cloud))) == []
    unsigned = [it for it in cloud if it.kind != "SignedImage"]
    said = list(IMAGES_SIGNED(in_preview(unsigned)))
    assert [it.split()[1] for it in said] == ["backend", "backend-init", "frontend"]
    assert all("which is yet to be built" in it for it in said)
    of_one = [it for it in cloud if it.name != "todo-backend-image-signed"]
    assert list(IMAGES_SIGNED(in_preview(of_one)))


def test_the_images_that_a_preview_knows_are_judged_beside_those_that_it_does_not(
    cloud: list[Resource],
) -> None:
    found = in_preview(cloud)
    stranger = {"name": "stranger", "image": "docker.io/library/busybox:latest"}
    spec = {"template": {"spec": {"containers": [{"image": UNKNOWN_STRING_VALUE}, stranger]}}}
    properties = unknown_checking_proxy({"spec": spec})
    job = Resource(type="kubernetes:batch/v1:Job", name="job", properties=properties)
    (said,) = IMAGES_SIGNED([*found, job])
    assert said.startswith("container stranger of job has an image without signature")
    images_fixed = next(it.check for it in RULES if it.name == "images-fixed")
    assert [it.split()[1] for it in images_fixed(job)] == ["stranger"]


def test_a_pinned_image_has_to_be_signed_like_the_one_that_is_built() -> None:
    settings = stack_settings("cloud")
    pinned = f"registry.example.com/backend@sha256:{'1' * 64}"
    settings["images"]["pins"] = {"backend": pinned}
    found = resources_of(run_program(settings))
    (deployment,) = [it for it in found if it.name == "todo-backend-deployment"]
    assert container(cast("dict[str, Any]", deployment.properties))["image"] == pinned
    assert list(IMAGES_SIGNED(found)) == []
    assert list(
        IMAGES_SIGNED([it for it in found if it.name != "todo-backend-image-pinned-signed"])
    )


def test_a_signature_without_a_bill_of_materials_will_not_do(cloud: list[Resource]) -> None:
    changed = copy.deepcopy(cloud)
    for it in changed:
        if it.kind == "SignedImage":
            cast("dict[str, Any]", it.properties)["billOfMaterials"] = None
    assert list(IMAGES_SIGNED(changed))


def test_nothing_has_to_be_signed_for_development(minikube: list[Resource]) -> None:
    assert not any(it.kind == "SignedImage" for it in minikube)
    assert list(IMAGES_SIGNED(minikube)) == []


def test_in_production_the_databases_image_is_waived_and_nothing_else_is() -> None:
    production = {**stack_settings("minikube"), "environment": "production"}
    rule = next(it for it in STACK_RULES if it.name == "images-signed")
    said = list(stack_violations(rule, resources_of(run_program(production))))
    assert {it.split(" of ")[1].split()[0] for it in said} == {
        "todo-backend-deployment",
        "todo-frontend-deployment",
    }


def test_every_rule_has_a_breaking_test() -> None:
    tested = {rule for rule, _, _ in BREAKS} | {"ingress-encrypted"}
    assert {rule.name for rule in RULES} == tested
