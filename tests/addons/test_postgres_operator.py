"""What the PostgreSQL operator's part declares: as its makers publish it, and as it expects it."""

from typing import Any

import pulumi
import pytest

from addons.postgres_operator.postgres_operator import PostgresOperator, PostgresOperatorArgs
from addons.postgres_operator.published import KINDS, _named  # pyright: ignore[reportPrivateUsage]
from addons.postgres_operator.settings import PostgresOperatorSettings
from distribution import golang
from tests.recording import Recording, record


@pytest.fixture(scope="module")
def found() -> Recording:
    args = PostgresOperatorArgs(settings=PostgresOperatorSettings(sources="../sources/config"))
    return record(lambda: PostgresOperator("postgres-operator", args))


def test_kinds_come_before_rights_and_webhooks_and_those_before_the_operator(
    found: Recording,
) -> None:
    kinds = found.one("ConfigGroup", "postgres-operator-definitions")
    rest = found.one("ConfigGroup", "postgres-operator-published")
    assert len(kinds.inputs["files"]) == len(KINDS)
    assert all(it.startswith("../sources/config/crd/bases/") for it in kinds.inputs["files"])
    assert kinds.urn in rest.dependencies
    assert rest.urn in found.one("Deployment").dependencies


def test_the_kinds_are_all_that_the_pinned_release_has() -> None:
    """The operator does not start while one is missing."""
    folder = golang.module_file(
        "github.com/cloudnative-pg/cloudnative-pg", "config/crd/bases", pinned_in="cloudnative-pg"
    )
    names = {it.stem.removeprefix("postgresql.cnpg.io_") for it in folder.glob("*.yaml")}
    assert names == {*KINDS}


def _renamed(kind: str, props: dict[str, Any]) -> dict[str, Any]:
    opts = pulumi.ResourceOptions()
    args = pulumi.ResourceTransformArgs(
        custom=True, type_=f"kubernetes:{kind}", name="it", props=props, opts=opts
    )
    result = _named("postgres-operator")(args)
    return dict(result.props) if result else props


def test_objects_are_called_and_placed_as_the_operator_looks_for_them(found: Recording) -> None:
    hook = {"clientConfig": {"service": {"name": "s", "namespace": "system", "path": "/p"}}}
    props = {"metadata": {"name": "mutating-webhook-configuration"}, "webhooks": [hook]}
    kind = "admissionregistration.k8s.io/v1:MutatingWebhookConfiguration"
    webhooks = _renamed(kind, props)
    assert webhooks["metadata"]["name"] == "cnpg-mutating-webhook-configuration"
    service = webhooks["webhooks"][0]["clientConfig"]["service"]
    declared = found.one("Service").inputs["metadata"]
    assert service == {
        "name": declared["name"],
        "namespace": declared["namespace"],
        "path": "/p",
    }
    queries = _renamed("core/v1:ConfigMap", {"metadata": {"name": "default-monitoring"}})
    env = found.one("Deployment").inputs["spec"]["template"]["spec"]["containers"][0]["env"]
    named = {it["name"]: it.get("value") for it in env}
    assert queries["metadata"]["name"] == named["MONITORING_QUERIES_CONFIGMAP"]
    assert queries["metadata"]["namespace"] == "postgres-operator"


def test_its_role_is_the_published_one(found: Recording) -> None:
    role = _renamed("rbac.authorization.k8s.io/v1:ClusterRole", {"metadata": {"name": "manager"}})
    binding = found.one("ClusterRoleBinding").inputs
    assert binding["roleRef"]["name"] == role["metadata"]["name"]


def test_the_api_server_reaches_its_webhook_and_it_the_instances_of_all_namespaces(
    found: Recording,
) -> None:
    ingress = found.one("NetworkPolicy", "postgres-operator-ingress").inputs["spec"]["ingress"]
    assert {port["port"] for rule in ingress for port in rule["ports"]} == {9443}
    egress = found.one("NetworkPolicy", "postgres-operator-egress").inputs["spec"]["egress"]
    assert 8000 in {port["port"] for rule in egress for port in rule["ports"]}
