"""Alerts fire when something is wrong, somebody is told, and told again when it is over.

The rules are the real ones with the real times, so this takes half an hour: what is told of late is
begun before all tests.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from tests.commands import how_it_ended
from tests.e2e.deployment import Deployment
from tests.e2e_addons.alerting import (
    Prometheus,
    Receiver,
    is_held_back,
    kubectl,
    notifying,
    prometheus_of,
)
from tests.e2e_addons.faults.begun import begun
from tests.e2e_addons.faults.fault import Fault
from tests.waiting import until

MONITORING = "monitoring"
OWN = "todo-alerts-test"
STRANGERS = "todo-not-scraped"
BUDGETS = ("AvailabilityBudgetBurns", "LatencyBudgetBurns")
SLOW_FAULTS = (
    "NoPodReady",
    "ConnectionsNearLimit",
    "MetricsMissing",
    "VolumeFilling",
    "CertificateEnds",
)
"""Both: alerts that tell of what begun() begins."""


@pytest.fixture(scope="module")
def namespaces() -> Iterator[None]:
    """One that opts in to being watched, and one that does not."""
    labels = {OWN: "prometheus.io/scrape=true", STRANGERS: "some=label"}
    kubectl("delete", "namespace", *labels, "--ignore-not-found")
    for name, label in labels.items():
        kubectl("create", "namespace", name)
        kubectl("label", "namespace", name, label)
    yield
    kubectl("delete", "namespace", *labels, "--wait=false")


@pytest.fixture(scope="module")
def python_image(deployment: Deployment) -> str:
    """An image with Python that the nodes have."""
    return deployment.image("backend")


@pytest.fixture(scope="module")
def receiver(
    namespaces: None, python_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Receiver]:
    """Whom Alertmanager tells while these tests run."""
    told = Receiver(OWN, python_image)
    with notifying(told.url, tmp_path_factory.mktemp("addons")):
        yield told


@pytest.fixture
def repaired(deployment: Deployment) -> Iterator[None]:
    """Whatever a test has broken and did not get to repair."""
    yield
    deployment.up("--refresh")
    deployment.wait_ready()


@pytest.fixture(scope="module")
def prometheus(receiver: Receiver) -> Iterator[Prometheus]:
    with prometheus_of(MONITORING) as found:
        yield found


@pytest.fixture(scope="module", autouse=True)
def crash_loop(receiver: Receiver, python_image: str) -> None:
    """A container that ends again and again. Begun before all tests, since it takes the longest."""
    container = {"name": "unwell", "image": python_image, "command": ["python", "-c", "exit(3)"]}
    pod = {"metadata": {"name": "unwell"}, "spec": {"containers": [container]}}
    body = {"apiVersion": "v1", "kind": "Pod", **pod}
    kubectl("-n", OWN, "apply", "-f", "-", text=json.dumps(body))


@pytest.fixture(scope="module", autouse=True)
def faults(receiver: Receiver, deployment: Deployment) -> Iterator[dict[str, Fault]]:
    """What is wrong, by the alert that is to tell of it."""
    with begun(deployment) as found:
        yield found


def test_everything_that_opted_in_is_asked_and_answers(
    prometheus: Prometheus, deployment: Deployment
) -> None:
    expected = {
        *((deployment.namespace, app) for app in ("backend", "frontend", "postgres-exporter")),
        *((MONITORING, app) for app in ("prometheus", "alertmanager")),
    }

    def answering() -> bool:
        up = {
            (it["labels"].get("namespace"), it["labels"].get("app"))
            for it in prometheus.targets()
            if it["health"] == "up"
        }
        return expected <= up

    until("all targets answer", answering, 180)
    jobs = {it["labels"]["job"] for it in prometheus.targets() if it["health"] == "up"}
    assert jobs == {"pods", "kubelets", "kube-state-metrics"}
    assert prometheus.query("pg_up == 1")


def test_who_did_not_opt_in_is_not_asked(prometheus: Prometheus, python_image: str) -> None:
    annotations = {"prometheus.io/scrape": "true", "prometheus.io/port": "8080"}
    for namespace in (OWN, STRANGERS):
        container = {"name": "one", "image": python_image, "command": ["sleep", "3600"]}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "annotated", "annotations": annotations},
            "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
        }
        kubectl("-n", namespace, "apply", "-f", "-", text=json.dumps(pod))
        kubectl("-n", namespace, "wait", "--for=condition=Ready", "pod/annotated", "--timeout=90s")

    def asked() -> set[str]:
        return {
            it["labels"]["namespace"]
            for it in prometheus.targets()
            if it["labels"].get("pod") == "annotated"
        }

    until("the pod whose namespace opted in is found", lambda: asked() == {OWN}, 120)
    kubectl("-n", OWN, "delete", "pod", "annotated")


@pytest.mark.parametrize("alert", BUDGETS)
def test_a_budget_that_burns_is_told(
    alert: str, receiver: Receiver, faults: dict[str, Fault]
) -> None:
    """Mended at once, since the alert lasts until good requests are many more than those."""
    is_told(receiver, alert, faults[alert])
    faults[alert].mend()


def test_a_backup_that_did_not_succeed_is_told_and_the_next_success_ends_it(
    receiver: Receiver, deployment: Deployment
) -> None:
    now = datetime.now(UTC)
    status = {
        "lastScheduleTime": f"{now - timedelta(hours=3):%Y-%m-%dT%H:%M:%SZ}",
        "lastSuccessfulTime": f"{now - timedelta(hours=27):%Y-%m-%dT%H:%M:%SZ}",
    }
    patch = json.dumps({"status": status})
    deployment.kubectl("patch", "cronjob/postgres-backup", "--subresource=status", "-p", patch)
    receiver.is_told("BackupTooOld", deployment.namespace, "firing", minutes=5)
    done = deployment.ops("backup")
    assert done.returncode == 0, how_it_ended(done)
    receiver.is_told("BackupTooOld", deployment.namespace, "resolved", minutes=5)


@pytest.mark.usefixtures("repaired")
def test_a_database_that_is_down_is_told_alone_and_its_return_too(
    receiver: Receiver, deployment: Deployment
) -> None:
    namespace = deployment.namespace
    missing = "postgres=localhost/todo/postgres:missing"
    deployment.kubectl("set", "image", "statefulset/postgres", missing)
    receiver.is_told("DatabaseDown", namespace, "firing", minutes=5)
    # The backend is not ready without it: one page, not two.
    held_back = partial(is_held_back, MONITORING, "NoPodReady", namespace)
    until("NoPodReady is held back", held_back, 300)
    assert not receiver.was_told("NoPodReady", namespace, "firing")
    deployment.up("--refresh")
    deployment.wait_ready()
    receiver.is_told("DatabaseDown", namespace, "resolved", minutes=5)


@pytest.mark.usefixtures("repaired")
def test_a_drill_that_failed_and_drift_are_told(receiver: Receiver, deployment: Deployment) -> None:
    namespace = deployment.namespace
    # What no other database may hold cannot be restored beside it.
    deployment.sql("create table here(v int check (current_database() = 'todo'))")
    try:
        deployment.sql("insert into here values (1)")
        assert deployment.ops("backup").returncode == 0
        assert deployment.ops("restore-drill").returncode == 1
    finally:
        deployment.sql("drop table here")
        assert deployment.ops("backup").returncode == 0
    deployment.kubectl("scale", "deployment/frontend", "--replicas=3")
    assert deployment.ops("drift", "--record").returncode == 5
    for alert in ("RestoreDrillFailed", "DriftFound"):
        receiver.is_told(alert, namespace, "firing", minutes=3)
    deployment.up("--refresh")
    assert deployment.ops("drift", "--record").returncode == 0
    assert deployment.ops("restore-drill").returncode == 0
    for alert in ("RestoreDrillFailed", "DriftFound"):
        receiver.is_told(alert, namespace, "resolved", minutes=4)


def test_a_crash_loop_is_told_and_links_to_what_is_to_be_done(receiver: Receiver) -> None:
    receiver.is_told("CrashLoop", OWN, "firing", minutes=12)
    (first, *_) = [it for it in receiver.told() if it.get("pod") == "unwell"]
    assert first["summary"] == f"unwell of {OWN}/unwell ends again and again"
    assert first["runbook_url"].endswith("docs/troubleshooting.md#crashloop")
    kubectl("-n", OWN, "delete", "pod", "unwell")
    receiver.is_told("CrashLoop", OWN, "resolved", minutes=9)


@pytest.mark.parametrize("alert", SLOW_FAULTS)
def test_what_is_wrong_is_told(alert: str, receiver: Receiver, faults: dict[str, Fault]) -> None:
    fault = faults[alert]
    is_told(receiver, alert, fault)
    fault.mend()


def is_told(receiver: Receiver, alert: str, fault: Fault) -> None:
    """Waits until somebody is told of a fault, with what it is and what is to be done."""
    receiver.is_told(alert, fault.namespace, "firing", minutes=22)
    about = {"alertname": alert, "namespace": fault.namespace, "status": "firing"}
    told = [it for it in receiver.told() if about.items() <= it.items()]
    assert [it for it in told if fault.summary in it["summary"]], told
    assert {it["runbook_url"].rpartition("#")[2] for it in told} == {alert.lower()}


@pytest.mark.parametrize("alert", [*BUDGETS, *SLOW_FAULTS])
def test_what_is_mended_is_told_too(
    alert: str, receiver: Receiver, faults: dict[str, Fault]
) -> None:
    # A budget's takes as long as a busy machine needs for enough good requests.
    receiver.is_told(alert, faults[alert].namespace, "resolved", minutes=20)
