"""The provider: which cluster, and that objects kept by `pulumi destroy` are taken over again."""

import pulumi_kubernetes as k8s

from components.cluster.provider import kubernetes_provider
from components.todo.settings.settings import ClusterSettings
from tests.recording import record


def provider_of(**settings: str) -> dict[str, object]:
    cluster = ClusterSettings(kind="local", **settings)

    def program() -> None:
        kubernetes_provider("cluster", cluster)

    return record(program).one("kubernetes", "cluster").inputs


def test_cluster_is_the_one_of_the_settings() -> None:
    inputs = provider_of(kubeconfig="/a/kubeconfig", context="b")
    assert (inputs["kubeconfig"], inputs["context"]) == ("/a/kubeconfig", "b")


def test_ambient_cluster_without_settings() -> None:
    inputs = provider_of()
    assert "context" not in inputs


def test_what_an_earlier_destroy_kept_can_be_patched() -> None:
    inputs = provider_of()
    assert inputs["enableServerSideApply"] == "true"
    asked = hasattr(k8s.ProviderArgs, "upsert_existing_objects")
    assert inputs.get("upsertExistingObjects") == ("true" if asked else None)
