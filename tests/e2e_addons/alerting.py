"""What the tests of the alerts need: Prometheus to ask and somebody who is told."""

import http.client
import json
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import yaml

from tests.commands import how_it_ended
from tests.e2e_addons.addons import ADDONS, FILE
from tests.e2e_addons.forwarded import forwarded
from tests.waiting import until

Status = Literal["firing", "resolved"]
_RECEIVER = """
import http.server, json, sys

class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for alert in body["alerts"]:
            told = {"status": alert["status"], **alert["labels"], **alert["annotations"]}
            print(json.dumps(told))
        sys.stdout.flush()
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("", 8080), Receiver).serve_forever()
"""


def kubectl(*arguments: str, text: str | None = None) -> str:
    done = subprocess.run(["kubectl", *arguments], input=text, capture_output=True, text=True)
    assert done.returncode == 0, how_it_ended(done)
    return done.stdout


@contextmanager
def notifying(url: str, folder: Path) -> Generator[None]:
    """Lets Alertmanager tell an address; afterwards it tells whom the stack file says.

    Args:
        url: The address.
        folder: For the changed stack file.
    """
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    parts = document["config"]["todo-addons:settings"]
    assert "monitoring" in parts, "the add-ons' stack file does not choose monitoring"
    parts["monitoring"] = {**parts["monitoring"], "notify": {"mode": "webhook", "url": url}}
    changed = folder / FILE.name
    changed.write_text(yaml.safe_dump(document), encoding="utf-8")
    try:
        ADDONS.up("--config-file", str(changed))
        yield
    finally:
        ADDONS.up()


class Prometheus:
    """Prometheus of the cluster, through `kubectl port-forward` as a person would ask it."""

    def __init__(self, port: int) -> None:
        self._port = port

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Returns the labels of what an expression gives now."""
        found = self._get(f"/api/v1/query?query={quote(expression)}")["data"]["result"]
        return [it["metric"] for it in found]

    def targets(self) -> list[dict[str, Any]]:
        """Returns what it asks, with how that went."""
        return self._get("/api/v1/targets?state=active")["data"]["activeTargets"]

    def _get(self, path: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())


def is_held_back(alertmanager: str, alert: str, namespace: str) -> bool:
    """Returns whether Alertmanager knows of an alert, and tells nobody because of another one.

    Args:
        alertmanager: The namespace of Alertmanager.
        alert: The alert.
        namespace: What it is about.
    """
    with forwarded(alertmanager, "service/alertmanager", 9093) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/api/v2/alerts?silenced=false&active=true&inhibited=true")
        alerts = json.loads(connection.getresponse().read())
    return any(
        it["labels"]["alertname"] == alert
        and it["labels"].get("namespace") == namespace
        and it["status"]["state"] == "suppressed"
        for it in alerts
    )


@contextmanager
def prometheus_of(namespace: str) -> Generator[Prometheus]:
    with forwarded(namespace, "service/prometheus", 9090) as port:
        yield Prometheus(port)


class Receiver:
    """A pod that writes down what Alertmanager posts to it."""

    def __init__(self, namespace: str, image: str) -> None:
        self._namespace = namespace
        container = {
            "name": "receiver",
            "image": image,
            "command": ["python", "-c", _RECEIVER],
            "ports": [{"containerPort": 8080}],
        }
        labels = {"app": "receiver"}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "receiver", "labels": labels},
            "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
        }
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "receiver"},
            "spec": {"selector": labels, "ports": [{"port": 8080}]},
        }
        for body in (pod, service):
            kubectl("-n", namespace, "apply", "-f", "-", text=json.dumps(body))
        kubectl("-n", namespace, "wait", "--for=condition=Ready", "pod/receiver", "--timeout=90s")

    @property
    def url(self) -> str:
        """Where Alertmanager finds it."""
        return f"http://receiver.{self._namespace}.svc:8080/"

    def told(self) -> list[dict[str, str]]:
        """Returns all it was told: an alert's labels and annotations, and its `status`."""
        lines = kubectl("-n", self._namespace, "logs", "receiver").splitlines()
        return [json.loads(line) for line in lines]

    def was_told(self, alert: str, namespace: str, status: Status) -> bool:
        """Returns whether it was told that an alert fires, or does not any more."""
        return any(
            (it["alertname"], it.get("namespace"), it["status"]) == (alert, namespace, status)
            for it in self.told()
        )

    def is_told(self, alert: str, namespace: str, status: Status, *, minutes: float) -> None:
        """Waits until it is told."""
        what = f"{alert} is told as {status}"
        until(what, lambda: self.was_told(alert, namespace, status), minutes * 60)
