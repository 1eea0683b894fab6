"""The provider: which cluster, and how objects kept by `pulumi destroy` are taken over again."""

import pulumi_kubernetes as k8s

from components.cluster.provider import forces_patches, kubernetes_provider
from tests.recording import record


def provider_of(**cluster: str) -> dict[str, object]:
    def program() -> None:
        kubernetes_provider("cluster", **cluster)

    return record(program).one("kubernetes", "cluster").inputs


def test_cluster_is_the_one_that_is_named() -> None:
    inputs = provider_of(kubeconfig="/a/kubeconfig", context="b")
    assert (inputs["kubeconfig"], inputs["context"]) == ("/a/kubeconfig", "b")


def test_ambient_cluster_where_none_is_named() -> None:
    inputs = provider_of()
    assert "context" not in inputs


def test_what_an_earlier_destroy_kept_can_be_patched() -> None:
    inputs = provider_of()
    assert inputs["enableServerSideApply"] == "true"
    asked = hasattr(k8s.ProviderArgs, "upsert_existing_objects")
    assert inputs.get("upsertExistingObjects") == ("true" if asked else None)


def test_what_was_changed_by_hand_is_taken_back_by_the_provider_where_it_can() -> None:
    asked = hasattr(k8s.ProviderArgs, "enable_patch_force")
    assert provider_of().get("enablePatchForce") == ("true" if asked else None)
    assert forces_patches() is asked
