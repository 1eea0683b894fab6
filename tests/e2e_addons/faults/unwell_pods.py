"""Pods that do not answer Prometheus, or are not ready."""

import json

from tests.e2e_addons.alerting import kubectl
from tests.e2e_addons.faults.fault import WELL, Fault, make_pod, python_container, say_well

_METRICS = 8080
_SILENT = f"""
import http.server, os, time
while not os.path.exists({WELL!r}):
    time.sleep(1)

class Metrics(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(b"some_metric 1\\n")

http.server.ThreadingHTTPServer(("", {_METRICS}), Metrics).serve_forever()
"""


def silent(namespace: str, python: str) -> Fault:
    """A pod that says that it has metrics, and does not answer."""
    make_pod(namespace, "silent", [python_container("main", python, _SILENT)], metrics=_METRICS)
    return Fault(
        namespace=namespace,
        summary=f"pods {namespace}/silent: no metrics, so no alert watches it",
        mend=lambda: say_well(namespace, "silent", "main"),
    )


def unready(namespace: str, python: str) -> Fault:
    """A Deployment whose pod is not ready."""
    container = python_container("main", python, "import time; time.sleep(100000)")
    looked = ["python", "-c", f"open({WELL!r})"]
    container["readinessProbe"] = {"exec": {"command": looked}, "timeoutSeconds": 5}
    labels = {"app": "unready"}
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "unready"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }
    kubectl("-n", namespace, "apply", "-f", "-", text=json.dumps(body))
    return Fault(
        namespace=namespace,
        summary=f"{namespace}/unready has no pod that is ready",
        mend=lambda: say_well(namespace, "deployment/unready", "main"),
    )
