"""The provider: which cluster, and how objects kept by `pulumi destroy` are taken over again."""

import inspect
import json
import re

import pulumi_kubernetes as k8s
import pytest

from components.cluster.managed import managed
from components.cluster.provider import declare_provider, forces_patches
from tests.recording import ROOT, record

PAGE = (ROOT / "docs/components/cluster.md").read_text(encoding="utf-8")


def provider_of(**cluster: str) -> dict[str, object]:
    def program() -> None:
        declare_provider("cluster", **cluster)

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


def test_a_large_program_does_not_wait_for_the_plugins_own_limit_of_requests() -> None:
    """It is 50 a second after 120, where a preview of 200 applications makes 800."""
    asks = json.loads(str(provider_of()["kubeClientSettings"]))
    assert asks["burst"] >= 1000
    assert asks["qps"] >= 1000


def test_a_person_may_say_how_often_a_cluster_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_K8S_CLIENT_QPS", "10")
    asks = json.loads(str(provider_of()["kubeClientSettings"]))
    assert asks["qps"] == 10


def test_what_was_changed_by_hand_is_taken_back_by_the_provider_where_it_can() -> None:
    asked = hasattr(k8s.ProviderArgs, "enable_patch_force")
    assert provider_of().get("enablePatchForce") == ("true" if asked else None)
    assert forces_patches() is asked


def test_its_page_names_every_argument_once_and_in_order() -> None:
    table = PAGE.split("## Arguments")[1].split("##")[0]
    named = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert named == [*inspect.signature(managed).parameters]


def test_the_example_of_its_page_owns_what_it_declares() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    code = example.replace("kubernetes_app_components", "components")
    recording = record(lambda: exec(code, {}))  # noqa: S102
    annotations = recording.one("Deployment").inputs["metadata"]["annotations"]
    assert annotations["kubernetes-app-components/stack"] == "organization/todo/test"
