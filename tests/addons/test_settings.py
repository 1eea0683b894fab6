"""The settings of the add-ons: what is chosen, what is found out, and what is said of mistakes."""

from typing import Any

import pytest

from addons.metrics_server.settings import MetricsServerSettings
from addons.settings.parse import parse_settings
from addons.settings.table import TABLE, settings_table
from distribution.addon_parts import PARTS
from distribution.cluster.registry import ADDRESS
from stack_settings.errors import SettingsError
from tests.addons.program import STACKS, addon_settings
from tests.recording import ROOT

LOCAL: dict[str, Any] = {"cluster": {"kind": "local"}}
EMPTY: dict[str, Any] = {}


def test_the_table_of_settings_is_current() -> None:
    written = (ROOT / TABLE).read_text(encoding="utf-8")
    assert written == settings_table(), "run: python -m addons.settings.table"


def message_of(tree: object, found: object = None) -> str:
    with pytest.raises(SettingsError) as error:
        parse_settings(tree, found)
    return str(error.value)


@pytest.mark.parametrize("stack", STACKS)
def test_stack_files_are_valid(stack: str) -> None:
    parse_settings(addon_settings(stack))


def test_a_part_that_is_left_out_is_not_installed() -> None:
    assert parse_settings(LOCAL).metrics_server is None


def test_a_part_is_chosen_by_an_empty_block() -> None:
    assert (
        parse_settings(LOCAL | {"metricsServer": EMPTY}).metrics_server == MetricsServerSettings()
    )


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        (
            LOCAL | {"metricServer": EMPTY},
            "todo-addons:settings: unknown setting 'metricServer'; did you mean metricsServer?",
        ),
        ({"metricsServer": EMPTY}, "todo-addons:settings.cluster: field required"),
        (
            LOCAL | {"metricsServer": {"image": "metrics-server:latest"}},
            "todo-addons:settings.metricsServer.image is 'metrics-server:latest': expected a fixed",
        ),
        *(
            (
                LOCAL | {"logs": {"logFolders": folders}},
                f"todo-addons:settings.logs.logFolders{said}",
            )
            for folders, said in (
                (
                    ["/var/log/containers"],
                    "[0] is '/var/log/containers': expected other folders than",
                ),
                (
                    ["/var/log/../pods"],
                    "[0] is '/var/log/../pods': expected an absolute path without",
                ),
                (
                    ["/var/log/pods", "/var/log/pods"],
                    " is ['/var/log/pods', '/var/log/pods']: expected",
                ),
            )
        ),
        (
            LOCAL | {"secretStore": {"serviceAccountAnnotations": {"role arn": "a"}}},
            "expected a key such as example.com/name",
        ),
        *(
            (
                LOCAL | {"monitoring": {"runbooks": document}},
                f"todo-addons:settings.monitoring.runbooks is {document!r}: expected an address or",
            )
            for document in ("our runbooks: here", "https://x/{{ y }}", "a #b", "'a'")
        ),
        (
            LOCAL | {"monitoring": {"storage": {"size": "256Mi"}}},
            "todo-addons:settings.monitoring.storage: expected size (256Mi) of at least 512Mi",
        ),
        (
            LOCAL
            | {"localAuthority": {}, "registry": {"hosts": ["10.0.0.1"], "storageSize": "1Mi"}},
            "todo-addons:settings.registry: expected storageSize (1Mi) of at least 256Mi",
        ),
        (7, "todo-addons:settings is 7: expected a block of settings"),
    ],
)
def test_a_mistake_is_a_sentence_that_says_where_it_is(tree: object, said: str) -> None:
    assert said in message_of(tree)


def test_what_was_found_out_fills_what_a_part_leaves_open() -> None:
    image = "localhost/todo/addon-metrics-server:v1"
    found = {"metricsServer": {"image": image, "chart": {"path": "../chart"}}}
    part = parse_settings(LOCAL | {"metricsServer": EMPTY}, found).metrics_server
    assert part is not None
    assert (part.image, part.chart.path) == (image, "../chart")


def test_what_was_found_out_for_a_part_installs_it_no_more_once_it_is_not_chosen() -> None:
    found = {"metricsServer": {"kubeletInsecureTls": True}}
    assert parse_settings(LOCAL, found).metrics_server is None


def test_a_part_without_a_value_is_neither_chosen_nor_removed() -> None:
    said = message_of(LOCAL | {"metricsServer": None})
    assert said == (
        "todo-addons:settings.metricsServer has no value: write `metricsServer: {}` to choose the "
        "part as it is by default, or leave the line out"
    )


def test_a_managed_cluster_gets_nothing_of_what_was_found_out() -> None:
    managed = {"cluster": {"kind": "managed"}, "metricsServer": EMPTY}
    found = {"metricsServer": {"kubeletInsecureTls": True}}
    part = parse_settings(managed, found).metrics_server
    assert part is not None
    assert not part.kubelet_insecure_tls


def test_what_the_stack_file_says_otherwise_is_found_out_anew() -> None:
    tree = LOCAL | {"metricsServer": {"kubeletInsecureTls": False}}
    said = message_of(tree, {"metricsServer": {"kubeletInsecureTls": True}})
    assert "run `make addons`, which looks again" in said


def test_a_registry_needs_who_signs_for_it_and_an_address_that_is_nobody_elses() -> None:
    registry = {"registry": {"hosts": ["10.89.0.2"]}}
    assert "expected the block localAuthority: {}" in message_of(LOCAL | registry)
    signed = LOCAL | {"localAuthority": EMPTY}
    assert parse_settings(signed | registry).registry is not None
    public = {"registry": {"hosts": ["registry.example.com"]}}
    assert "expected a private address" in message_of(signed | public)
    assert "registry.hosts: field required" in message_of(signed | {"registry": EMPTY})


def test_on_the_embedded_cluster_the_registry_is_where_the_node_expects_it() -> None:
    found = {"registry": dict(PARTS["registry"].embedded)}
    tree = LOCAL | {"localAuthority": EMPTY, "registry": EMPTY}
    part = parse_settings(tree, found).registry
    assert part is not None
    assert f"{part.hosts[0]}:{part.node_port}" == ADDRESS
    elsewhere = tree | {"registry": {"nodePort": 30600}}
    assert "registry.nodePort is 30600" in message_of(elsewhere, found)
