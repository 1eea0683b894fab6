"""The add-ons' program as a whole: nothing but the chosen parts, each by the stack's rules."""

import runpy
import sys

import pulumi
import pytest

from addons.monitoring.scraping import SCRAPED
from addons.secret_table import SECRETS
from tests.addons.program import STACKS, addon_settings, run_addons
from tests.recording import ROOT, Recording
from toolchain.addon_removal import chosen

BROUGHT = ("kubernetes:helm.sh", "kubernetes:yaml")
"""Types of components whose objects a provider declares, which no recording sees."""
LOCAL = {"cluster": {"kind": "local", "context": "here"}}


@pytest.fixture(scope="module", params=STACKS)
def recording(request: pytest.FixtureRequest) -> Recording:
    return run_addons(addon_settings(request.param))


def test_nothing_is_installed_that_is_not_chosen() -> None:
    resources = run_addons(LOCAL).resources
    assert {it.type for it in resources} == {"pulumi:pulumi:Stack", "pulumi:providers:kubernetes"}


def test_every_part_has_the_name_of_its_block(recording: Recording) -> None:
    """By it `make addons` tells which are no longer chosen."""
    parts = {it.name for it in recording.resources if it.type.startswith("todo-addons:")}
    assert parts
    for stack in STACKS:
        parts -= chosen(addon_settings(stack))
    assert not parts


def test_no_output_is_secret(recording: Recording) -> None:
    """Of one that is, no preview says whether it would change, so every `make addons` updates."""
    assert recording.outputs
    assert not recording.secret_outputs


def test_what_is_said_to_use_a_secret_is_what_does() -> None:
    names = {it.name for it in run_addons(addon_settings("minikube")).resources}
    assert {user for secret in SECRETS for user in secret.used_by} <= names


def test_every_object_is_in_the_stacks_cluster_marked_and_guarded(recording: Recording) -> None:
    objects = [it for it in recording.resources if it.type.startswith("kubernetes:")]
    for it in (it for it in objects if not it.type.startswith(BROUGHT)):
        assert it.inputs["metadata"]["annotations"]["todo-kubernetes/stack"].endswith("/test")
        assert "ownership" in it.hooks
        assert "cluster" in it.provider


def test_every_chart_treats_its_objects_as_the_programs_own(recording: Recording) -> None:
    charts = [it for it in recording.resources if it.type.startswith(BROUGHT)]
    assert charts
    for chart in charts:
        assert chart.transforms >= 2, "neither its deletions are bounded nor its objects guarded"


def test_every_namespace_denies_what_no_policy_allows(recording: Recording) -> None:
    namespaces = {it.kubernetes_name for it in recording.of("Namespace")}
    policies = [it.inputs for it in recording.of("NetworkPolicy", "default-deny")]
    assert {it["metadata"]["namespace"] for it in policies} == namespaces
    assert all(it["spec"]["podSelector"] == {} for it in policies)


def test_volumes_are_in_namespaces_that_are_watched(recording: Recording) -> None:
    claims = {it.inputs["metadata"]["namespace"] for it in recording.of("PersistentVolumeClaim")}
    namespaces = [it for it in recording.of("Namespace") if it.kubernetes_name in claims]
    assert claims
    for it in namespaces:
        assert it.inputs["metadata"]["labels"][SCRAPED] == "true"


def test_pulumi_keeps_namespaces_in_which_people_may_have_something(recording: Recording) -> None:
    assert all(it.retain_on_delete for it in recording.of("Namespace"))


def test_a_key_of_the_configuration_that_nobody_reads_is_refused() -> None:
    run_addons(LOCAL, {"todo-addons:registryPasswort": "x"}, catch=pulumi.RunError)


def test_packages_that_are_not_installed_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("addons.parts", "addons.metrics_server.metrics_server", "addons.chart"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "components.cluster.remote_objects", None)
    with pytest.raises(pulumi.RunError, match="run `make addons`, which installs it"):
        runpy.run_path(str(ROOT / "addons" / "__main__.py"))
