"""Pods that nobody has let in: what the add-ons know and can do is not for them."""

import http.client
from collections.abc import Iterator

import pytest

from tests.e2e.deployment import Deployment
from tests.e2e.enforcement import skip_where_declared_only
from tests.e2e_addons.forwarded import forwarded
from tests.e2e_addons.strangers import connects, strangers

POD = "stranger"
CLOSED = (
    ("monitoring", "prometheus", 9090),
    ("monitoring", "alertmanager", 9093),
    ("monitoring", "kube-state-metrics", 8080),
    ("logs", "logs", 9428),
    ("development-store", "development-store", 5000),
)
"""Namespace, Service, and its port, which the pods have too: each is for some pods alone."""
METRICS_API = "https://metrics-server.metrics-server/apis/metrics.k8s.io/v1beta1/pods"
_ASK = """
import json, ssl, sys, urllib.error, urllib.request
url, own = sys.argv[1:]
headers = {}
if own == "yes":
    token = open("/var/run/secrets/kubernetes.io/serviceaccount/token").read()
    headers["Authorization"] = f"Bearer {token}"
request = urllib.request.Request(url, headers=headers)
context = ssl._create_unverified_context()
try:
    print(urllib.request.urlopen(request, context=context, timeout=15).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


@pytest.fixture(scope="module")
def namespace(deployment: Deployment) -> Iterator[str]:
    """The namespace of the stranger, which has no policies of its own."""
    with strangers(deployment, POD) as found:
        yield found


@pytest.mark.parametrize(("where", "service", "port"), CLOSED, ids=lambda it: str(it))
def test_what_answers_those_who_are_let_in_does_not_answer_a_stranger(
    deployment: Deployment, namespace: str, where: str, service: str, port: int
) -> None:
    skip_where_declared_only(deployment)
    with forwarded(where, f"service/{service}", port) as own:
        # The way of whoever may use `port-forward`, which no policy is about.
        connection = http.client.HTTPConnection("127.0.0.1", own, timeout=15)
        connection.request("GET", "/")
        assert connection.getresponse().status
    endpoints = deployment.objects(f"endpoints/{service}", "--namespace", where)
    addresses = [it["ip"] for subset in endpoints["subsets"] for it in subset["addresses"]]
    for host in (f"{service}.{where}", *addresses):
        assert not connects(deployment, namespace, POD, host, port)


@pytest.mark.parametrize("own", ["yes", "no"], ids=["as itself", "as nobody"])
def test_the_metrics_api_tells_a_stranger_nothing(
    deployment: Deployment, namespace: str, own: str
) -> None:
    """The API server asks it, from wherever it is, so everybody may connect."""
    assert ask(deployment, namespace, METRICS_API, own) in {"401", "403"}


def test_the_registry_tells_a_stranger_nothing(deployment: Deployment, namespace: str) -> None:
    assert ask(deployment, namespace, "https://registry.registry:5000/v2/_catalog", "no") == "401"


def ask(deployment: Deployment, namespace: str, url: str, own: str) -> str:
    """Returns the status that a stranger gets, with the token of its own or without."""
    where = ("--namespace", namespace, "exec", POD, "--")
    return deployment.kubectl(*where, "python", "-c", _ASK, url, own).strip()
