"""A frontend that answers with errors, or late."""

from tests.e2e.deployment import Deployment
from tests.e2e_addons.faults.fault import WELL, Fault, make_pod, python_container, say_well

_BACKEND = f"""
import http.server, os, sys, time

def is_well():
    return os.path.exists({WELL!r})

class Backend(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if not is_well():
            time.sleep(1.3)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{{}}")

while sys.argv[1] == "away" and not is_well():
    time.sleep(0.5)
http.server.ThreadingHTTPServer(("", 8000), Backend).serve_forever()
"""
# Seldom while it goes badly, and often when all is well: the good requests soon outweigh.
_CLIENT = """
import threading, time, urllib.request

def ask():
    while True:
        begun = time.monotonic()
        try:
            urllib.request.urlopen("http://127.0.0.1:3000/api/me", timeout=30).read()
            good = time.monotonic() - begun < 1
        except OSError:
            good = False
        time.sleep(0.1 if good else 2)

for _ in range(4):
    threading.Thread(target=ask).start()
"""


def failing_requests(deployment: Deployment, namespace: str, python: str) -> Fault:
    """Requests that are answered with an error of the server's, since its backend is away."""
    return _asked(deployment, namespace, python, how="away", told="failed lately")


def slow_requests(deployment: Deployment, namespace: str, python: str) -> Fault:
    """Requests that take longer than a second, since the backend does."""
    return _asked(
        deployment, namespace, python, how="slow", told="took longer than a second lately"
    )


def _asked(deployment: Deployment, namespace: str, python: str, *, how: str, told: str) -> Fault:
    """The application's own frontend, with somebody who asks it and a backend that is unwell."""
    pod = deployment.objects("deployment/frontend")["spec"]["template"]["spec"]
    (own,) = pod["containers"]
    changed = {"BACKEND_URL": "http://127.0.0.1:8000", "PODS_HOST": ""}
    env = {it["name"]: it["value"] for it in own["env"]} | changed
    frontend = {
        "name": "frontend",
        "image": own["image"],
        "env": [{"name": name, "value": value} for name, value in env.items()],
    }
    backend = python_container("backend", python, _BACKEND)
    backend["command"].append(how)
    containers = [frontend, backend, python_container("client", python, _CLIENT)]
    make_pod(namespace, "asked", containers, metrics=int(env["METRICS_PORT"]))
    return Fault(
        namespace=namespace,
        summary=f"of the requests to {namespace} {told}",
        mend=lambda: say_well(namespace, "asked", "backend"),
    )
