"""The alerts: each fires when it should and not otherwise, and says where its runbook is."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from addons.monitoring import state_metrics
from addons.monitoring.alert_rules import RULES, RUNBOOKS, rule_files
from addons.monitoring.dashboards import PANELS
from distribution import recipes
from ops.verdicts import DRIFT, DRILL
from tests.recording import ROOT

TESTS = Path(__file__).parent / "alerts"
FILES = sorted(file.name for file in RULES.glob("*.yaml"))


def _load(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def _rules() -> Iterator[dict[str, Any]]:
    for file in FILES:
        for group in _load(RULES / file)["groups"]:
            yield from group["rules"]


ALERTS = {rule["alert"]: rule for rule in _rules() if "alert" in rule}
PLACES = {
    alert: file
    for file in FILES
    for alert in re.findall(r"alert: (\w+)", (RULES / file).read_text())
}


@pytest.fixture(scope="module")
def promtool() -> str:
    """Prometheus' own tool, which the recipe of Prometheus builds beside it."""
    found = shutil.which("promtool")
    if found is None and recipes.built("prometheus"):
        found = str(recipes.output("prometheus") / "promtool")
    if found is None:
        pytest.skip("promtool is not here: `make addons` with monitoring builds it, or install it")
    return found


@pytest.mark.parametrize("file", FILES)
def test_prometheus_takes_the_rules_and_finds_what_their_tests_expect(
    file: str, promtool: str
) -> None:
    for command in (["check", "rules", str(RULES / file)], ["test", "rules", str(TESTS / file)]):
        done = subprocess.run([promtool, *command], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_is_tested_to_fire_and_not_to_fire(alert: str) -> None:
    expected = [
        bool(it["exp_alerts"])
        for test in _load(TESTS / PLACES[alert])["tests"]
        for it in test["alert_rule_test"]
        if it["alertname"] == alert
    ]
    assert {*expected} == {True, False}


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_leads_to_its_runbook(alert: str) -> None:
    assert ALERTS[alert]["labels"]["severity"] in {"page", "ticket"}
    assert ALERTS[alert]["annotations"]["runbook_url"] == f"{RUNBOOKS}#{alert.lower()}"
    text = (ROOT / RUNBOOKS).read_text(encoding="utf-8").split("\n## Alerts\n")[1]
    (entry,) = re.findall(rf"^### {alert}\n\n(.*?)(?=^### |\Z)", text, re.M | re.S)
    assert entry.startswith(f"**Means** ({ALERTS[alert]['labels']['severity']}): ")


def test_there_is_no_runbook_without_its_alert() -> None:
    text = (ROOT / RUNBOOKS).read_text(encoding="utf-8").split("\n## Alerts\n")[1]
    assert sorted(re.findall(r"^### (\w+)$", text, re.M)) == sorted(ALERTS)


def test_the_runbooks_may_be_shown_elsewhere() -> None:
    files = rule_files("https://git.example.com/todo/troubleshooting.md")
    assert [*files] == [name.replace(".yaml", ".rules.yaml") for name in FILES]
    for text in files.values():
        assert RUNBOOKS not in text.replace("https://git.example.com/todo/troubleshooting.md", "")


def test_kube_state_metrics_makes_what_alerts_and_dashboards_ask_for_and_no_more() -> None:
    expressions = [
        *(rule["expr"] for rule in _rules()),
        *(expression for panel in PANELS for expression, _ in panel.curves),
    ]
    asked = {name for it in expressions for name in re.findall(r"\bkube_\w+", it)}
    assert asked == {*state_metrics.METRICS}


def test_the_alerts_read_the_notes_that_operations_leave() -> None:
    assert {*state_metrics.ANNOTATIONS.values()} == {DRIFT, DRILL}
    for alert, note in (("DriftFound", DRIFT), ("RestoreDrillFailed", DRILL)):
        # kube-state-metrics replaces what a label cannot have.
        assert f"annotation_{re.sub('[^a-z0-9]', '_', note)}=" in ALERTS[alert]["expr"]
