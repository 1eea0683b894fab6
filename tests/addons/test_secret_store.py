"""What the secret store declares: who may ask it, and where the operator finds it."""

from typing import Any

import pulumi
import pytest

from addons.definitions import _retained  # pyright: ignore[reportPrivateUsage]
from addons.development_store.development_store import DevelopmentStore, DevelopmentStoreArgs
from addons.development_store.settings import DevelopmentStoreSettings
from addons.secret_store.secret_store import SecretStore, SecretStoreArgs
from addons.secret_store.settings import SecretStoreSettings
from addons.settings.parse import parse_settings
from stack_settings.errors import SettingsError
from tests.recording import Recording, record

_AWS = {"name": "production", "region": "eu-central-1", "namespaces": ("todo-app",)}


def _declared(**settings: Any) -> Recording:
    args = SecretStoreArgs(settings=SecretStoreSettings(**settings))
    return record(lambda: SecretStore("secret-store", args))


def _chart(found: Recording) -> dict[str, Any]:
    return found.one("Chart").inputs


def test_a_store_may_be_asked_from_the_named_namespaces_alone() -> None:
    spec = _declared(aws=_AWS).one("ClusterSecretStore", "production").inputs["spec"]
    assert spec["conditions"] == [{"namespaces": ["todo-app"]}]
    # Without credentials the operator has its own, by its ServiceAccount.
    assert spec["provider"] == {"aws": {"service": "SecretsManager", "region": "eu-central-1"}}


def test_without_a_store_there_is_the_operator_alone() -> None:
    found = _declared()
    assert found.of("ClusterSecretStore") == []
    assert _chart(found)["chart"] == "external-secrets"


def test_another_endpoint_reaches_the_operator_and_its_policy() -> None:
    found = _declared(aws=_AWS | {"endpoint": "http://store.test:5000"})
    variables = {it["name"]: it["value"] for it in _chart(found)["values"]["extraEnv"]}
    assert set(variables) == {"AWS_SECRETSMANAGER_ENDPOINT", "AWS_STS_ENDPOINT"}
    assert set(variables.values()) == {"http://store.test:5000"}
    assert 5000 in _egress(found)
    assert 5000 not in _egress(_declared(aws=_AWS))


def _egress(found: Recording) -> set[int]:
    policy = found.one("NetworkPolicy", "secret-store-egress").inputs["spec"]
    return {port["port"] for rule in policy["egress"] for port in rule["ports"]}


def test_definitions_come_before_the_operator_and_the_operator_before_the_store() -> None:
    found = _declared(aws=_AWS, definitions="../charts/crds")
    definitions = found.one("ConfigGroup")
    assert definitions.inputs["files"] == ["../charts/crds/*.yaml"]
    assert definitions.urn in found.one("Chart").dependencies
    assert found.one("Chart").urn in found.one("ClusterSecretStore").dependencies


def test_definitions_outlive_the_part_and_with_them_the_secrets_of_others() -> None:
    kind = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
    assert _kept(kind)
    assert not _kept("kubernetes:apps/v1:Deployment")


def _kept(kind: str) -> bool:
    """Whether an object among the definitions is kept when the part goes."""
    opts = pulumi.ResourceOptions()
    args = pulumi.ResourceTransformArgs(custom=True, type_=kind, name="it", props={}, opts=opts)
    result = _retained(args)
    return bool(result and result.opts.retain_on_delete)


def test_a_development_store_has_the_credentials_that_its_operator_names() -> None:
    args = DevelopmentStoreArgs(settings=DevelopmentStoreSettings(), clients="secret-store")
    found = record(lambda: DevelopmentStore("development-store", args))
    secret = found.one("Secret", "development-store-credentials").inputs
    assert set(secret["stringData"]) == {"access-key-id", "secret-access-key"}
    policy = found.one("NetworkPolicy", "development-store-ingress").inputs["spec"]
    (peer,) = policy["ingress"][0]["from"]
    assert peer["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "secret-store"
    }


def test_a_managed_cluster_has_no_development_store() -> None:
    tree = {"cluster": {"kind": "managed"}, "developmentStore": {}}
    with pytest.raises(SettingsError, match="expected no developmentStore"):
        parse_settings(tree)
