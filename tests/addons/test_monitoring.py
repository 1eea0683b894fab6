"""What the metrics' part declares: who may read what, who is let in, and who is told."""

import json
import re
from typing import Any

import pulumi
import pytest
import yaml

from addons.monitoring import state_metrics
from addons.monitoring.dashboards import PANELS
from addons.monitoring.monitoring import Monitoring, MonitoringArgs
from addons.monitoring.scraping import SCRAPED
from addons.monitoring.settings import MonitoringSettings
from addons.names import MONITORING
from components.values.metrics import (
    NoMetrics,
    ScrapeAnnotations,
    ServiceMonitorMetrics,
    namespace_labels,
)
from policy.rules import RULES, Resource
from policy.waivers import violations
from tests.recording import ROOT, Recording, record


def deploy(**settings: Any) -> Recording:
    def program() -> None:
        args = MonitoringArgs(settings=MonitoringSettings.model_validate(settings))
        Monitoring("monitoring", args, pulumi.ResourceOptions())

    return record(program)


def config_of(recording: Recording, file: str) -> Any:
    (found,) = [
        it.inputs["data"][file] for it in recording.of("ConfigMap") if file in it.inputs["data"]
    ]
    return yaml.safe_load(found)


def arguments_of(recording: Recording, name: str) -> list[str]:
    template = recording.one("Deployment", name).inputs["spec"]["template"]
    return template["spec"]["containers"][0]["args"]


def test_it_reads_pods_and_what_belongs_to_them_and_nothing_secret() -> None:
    rules = [rule for role in deploy().of("ClusterRole") for rule in role.inputs["rules"]]
    verbs = {verb for rule in rules for verb in rule["verbs"]}
    resources = {resource for rule in rules for resource in rule["resources"]}
    assert verbs == {"get", "list", "watch"}
    assert resources == {
        *("namespaces", "pods", "nodes", "nodes/metrics"),
        *("deployments", "statefulsets", "cronjobs"),
        *("customresourcedefinitions", "scheduledbackups"),
    }


def test_what_it_is_told_of_other_kinds_is_what_the_alerts_read() -> None:
    (given,) = [
        it.removeprefix("--custom-resource-state-config=")
        for it in arguments_of(deploy(), "kube-state-metrics")
        if it.startswith("--custom-resource-state-config=")
    ]
    made = {
        f"{kind['metricNamePrefix']}_{it['name']}"
        for kind in json.loads(given)["spec"]["resources"]
        for it in kind["metrics"]
    }
    assert made == {it for it in state_metrics.METRICS if it.startswith("kube_scheduledbackup_")}


def test_who_asks_the_api_has_a_token_and_alertmanager_has_none() -> None:
    tokens = {
        it.kubernetes_name: it.inputs["spec"]["template"]["spec"]["automountServiceAccountToken"]
        for it in deploy().of("Deployment")
    }
    assert tokens == {"prometheus": True, "kube-state-metrics": True, "alertmanager": False}


def test_its_namespace_opts_in_to_be_watched_itself() -> None:
    labels = deploy().one("Namespace").inputs["metadata"]["labels"]
    assert labels["prometheus.io/scrape"] == "true"
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_namespace_has_to_opt_in_and_so_has_a_pod() -> None:
    config = config_of(deploy(), "prometheus.yml")
    (pods,) = [it for it in config["scrape_configs"] if it["job_name"] == "pods"]
    kept = {
        rule["source_labels"][0]: rule["regex"]
        for rule in pods["relabel_configs"]
        if rule.get("action") == "keep"
    }
    assert kept["__meta_kubernetes_namespace_label_prometheus_io_scrape"] == "true"
    assert kept["__meta_kubernetes_pod_annotation_prometheus_io_scrape"] == "true"


def test_metrics_go_before_the_volume_is_full() -> None:
    recording = deploy(storage={"size": "5Gi", "days": 30})
    claim = recording.one("PersistentVolumeClaim", "monitoring-prometheus").inputs
    assert claim["spec"]["resources"]["requests"]["storage"] == "5Gi"
    retention = config_of(recording, "prometheus.yml")["storage"]["tsdb"]["retention"]
    assert retention == {"time": "30d", "size": f"{4 * 1024**3}B"}


def test_no_two_pods_write_to_one_volume() -> None:
    for it in deploy().of("Deployment"):
        spec = it.inputs["spec"]
        claims = [
            volume
            for volume in spec["template"]["spec"].get("volumes", [])
            if "persistentVolumeClaim" in volume
        ]
        assert spec["replicas"] == 1
        assert (spec["strategy"]["type"] == "Recreate") == bool(claims)


def test_a_webhook_is_told_and_is_all_that_alertmanager_reaches() -> None:
    url = "https://hooks.example.com:8443/alerts"
    recording = deploy(notify={"mode": "webhook", "url": url})
    config = config_of(recording, "alertmanager.yml")
    (receiver,) = config["receivers"]
    assert receiver["webhook_configs"] == [{"url": url, "send_resolved": True}]
    rules = recording.one("NetworkPolicy", "alertmanager-egress").inputs["spec"]["egress"]
    assert [it["ports"] for it in rules] == [[{"protocol": "TCP", "port": 8443}]] * len(rules)


def test_a_secret_may_have_the_whole_configuration_of_who_is_told() -> None:
    recording = deploy(notify={"mode": "secret", "name": "receivers"})
    assert not any("alertmanager.yml" in it.inputs["data"] for it in recording.of("ConfigMap"))
    assert "--config.file=/etc/alertmanager/alertmanager.yml" in arguments_of(
        recording, "alertmanager"
    )
    volumes = recording.one("Deployment", "alertmanager").inputs["spec"]["template"]["spec"][
        "volumes"
    ]
    assert "receivers" in [it.get("secret", {}).get("secretName") for it in volumes]


def test_what_follows_from_another_alert_is_held_back() -> None:
    rules = config_of(deploy(), "alertmanager.yml")["inhibit_rules"]
    held = {rule["source_matchers"][0]: rule["target_matchers"][0] for rule in rules}
    assert "NoPodReady" in held["alertname=DatabaseDown"]
    assert all(rule["equal"] == ["namespace"] for rule in rules)


def test_nobody_but_chosen_namespaces_asks_prometheus() -> None:
    def admitted(**settings: Any) -> list[str]:
        policy = deploy(**settings).one("NetworkPolicy", "prometheus-ingress").inputs
        return [
            it["from"][0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
            for it in policy["spec"].get("ingress", [])
        ]

    assert admitted() == []
    assert admitted(askedFrom=["grafana"]) == ["grafana"]


@pytest.mark.parametrize("notify", [{"mode": "none"}, {"mode": "secret", "name": "receivers"}])
def test_it_keeps_the_rules(notify: dict[str, str]) -> None:
    resources = [
        Resource(type=r.type, name=r.name, properties=r.inputs)
        for r in deploy(notify=notify).resources
    ]
    assert [line for rule in RULES for it in resources for line in violations(rule, it)] == []


def test_grafanas_sidecar_finds_the_dashboard_which_asks_for_what_there_is() -> None:
    config = deploy().one("ConfigMap", "monitoring-dashboards").inputs
    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
    dashboard = json.loads(config["data"]["todo-application.json"])
    assert [it["title"] for it in dashboard["panels"]] == [it.title for it in PANELS]
    expressions = [it["expr"] for panel in dashboard["panels"] for it in panel["targets"]]
    assert all('namespace="$namespace"' in it for it in expressions)
    for panel in dashboard["panels"]:
        letters = [it["refId"] for it in panel["targets"]]
        assert all(letters)
        assert len({*letters}) == len(letters)
    from_kubernetes = {name for it in expressions for name in re.findall(r"\bkube_\w+", it)}
    assert from_kubernetes <= {*state_metrics.METRICS}


def test_applications_let_in_the_namespace_that_prometheus_is_in_by_the_label_it_goes_by() -> None:
    assert ScrapeAnnotations().from_namespace == MONITORING
    assert namespace_labels(ScrapeAnnotations()) == {SCRAPED: "true"}
    # The alerts go by it, whoever's Prometheus has them.
    assert namespace_labels(ServiceMonitorMetrics()) == {SCRAPED: "true"}
    assert namespace_labels(NoMetrics()) == {}


def test_the_options_of_another_kube_state_metrics_are_those_of_ours() -> None:
    text = (ROOT / "docs/addons.md").read_text(encoding="utf-8")
    options = re.findall(r"^--metric-[a-z]+-allowlist=.*$", text, re.MULTILINE)
    assert len(options) == 2
    [deployment] = [it for it in deploy().of("Deployment") if "kube-state" in it.name]
    container = deployment.inputs["spec"]["template"]["spec"]["containers"][0]
    assert {*options} <= {*container["args"]}
