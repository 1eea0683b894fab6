"""Who may talk to whom, asked from inside real pods: policies are enforced, not only declared.

Every refused way is proved next to an open one to the same place, so nothing passes because the
place is down.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from console.waiting import last_answer
from tests.commands import how_it_ended
from tests.e2e.asking import ask
from tests.e2e.deployment import Deployment
from tests.e2e.enforcement import skip_where_not_known
from tests.e2e.namespaces import make_namespace

API_SERVER = ("kubernetes.default", 443)
STRANGER_PORT = 8080
# Both print what became of a connection: open, closed, or no such name.
_PYTHON = """\
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 3).close()
    print("open")
except socket.gaierror:
    print("no such name")
except OSError:
    print("closed")
"""
_NODE = """\
const say = (text) => { console.log(text); process.exit() }
const socket = require("net").connect(Number(process.argv[2]), process.argv[1])
socket.on("connect", () => say("open"))
socket.on("error", (e) => say(e.syscall === "getaddrinfo" ? "no such name" : "closed"))
setTimeout(() => say("closed"), 3000)
"""


@dataclass(frozen=True)
class Pod:
    """A place to connect from."""

    deployment: Deployment
    namespace: str
    name: str
    program: tuple[str, ...] = ("python", "-c", _PYTHON)

    def expect(self, wanted: str, host: str, port: int) -> None:
        """Connections end so, once the node knows of both pods and is not too busy."""
        said = last_answer(lambda: self._connect(host, port), lambda it: it == wanted, 60)
        assert said == wanted, f"from {self.name} to {host}:{port}"

    def _connect(self, host: str, port: int) -> str:
        where = ("--namespace", self.namespace, "exec", self.name, "--")
        return self.deployment.kubectl(*where, *self.program, host, str(port)).strip()

    @property
    def address(self) -> str:
        where = ("--namespace", self.namespace, "get", "pod", self.name)
        return self.deployment.kubectl(*where, "-o", "jsonpath={.status.podIP}")

    def manifest(self, image: str) -> dict[str, Any]:
        """A pod that does nothing but answer."""
        container = {
            "name": "stranger",
            "image": image,
            "command": ["python", "-m", "http.server", str(STRANGER_PORT)],
            "readinessProbe": {"tcpSocket": {"port": STRANGER_PORT}},
        }
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
        }


@pytest.fixture(scope="module", autouse=True)
def enforced(deployment: Deployment) -> None:
    skip_where_not_known(deployment)


@pytest.fixture(scope="module")
def strangers(deployment: Deployment) -> Iterator[tuple[Pod, Pod]]:
    """Two pods of another namespace, where no policy is; each answers on STRANGER_PORT."""
    namespace = f"{deployment.namespace}-strangers"
    image = deployment.kubectl(
        "get", "deployment/backend", "-o", "jsonpath={.spec.template.spec.containers[0].image}"
    )
    pods = [Pod(deployment, namespace, name) for name in ("one", "two")]
    where = ("--namespace", namespace)
    items = [pod.manifest(image) for pod in pods]
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    try:
        make_namespace(deployment, namespace)
        done = deployment.try_kubectl(*where, "apply", "-f", "-", text=listed)
        assert done.returncode == 0, how_it_ended(done)
        deployment.kubectl(
            *where, "wait", "--for=condition=Ready", "pod", "--all", "--timeout=600s"
        )
        yield pods[0], pods[1]
    finally:
        deployment.kubectl("delete", "namespace", namespace)


@pytest.fixture
def frontend(deployment: Deployment) -> Pod:
    name = next(iter(deployment.pods("frontend")))
    return Pod(deployment, deployment.namespace, name, ("node", "-e", _NODE))


@pytest.fixture
def backend(deployment: Deployment) -> Pod:
    return Pod(deployment, deployment.namespace, next(iter(deployment.pods("backend"))))


def test_only_the_backend_reaches_the_database(
    deployment: Deployment, frontend: Pod, backend: Pod, strangers: tuple[Pod, Pod]
) -> None:
    database = f"postgres.{deployment.namespace}"
    backend.expect("open", database, 5432)
    frontend.expect("closed", database, 5432)
    strangers[0].expect("closed", database, 5432)


def test_only_the_frontend_reaches_the_backend_inside_the_cluster(
    deployment: Deployment, frontend: Pod, backend: Pod, strangers: tuple[Pod, Pod]
) -> None:
    service = f"backend.{deployment.namespace}"
    frontend.expect("open", service, 8000)
    strangers[0].expect("closed", service, 8000)


def test_what_is_open_to_the_outside_is_closed_to_other_namespaces(
    deployment: Deployment, strangers: tuple[Pod, Pod]
) -> None:
    for url in (deployment.frontend, deployment.backend):
        assert ask("GET", url).status_code < 500
        node, port = urlsplit(url).hostname, urlsplit(url).port
        assert node
        assert port
        strangers[0].expect("closed", node, port)


def test_the_application_reaches_nothing_else(
    frontend: Pod, backend: Pod, strangers: tuple[Pod, Pod]
) -> None:
    other, stranger = strangers
    for place in (API_SERVER, (stranger.address, STRANGER_PORT)):
        other.expect("open", *place)
        backend.expect("closed", *place)
        frontend.expect("closed", *place)
