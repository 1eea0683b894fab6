"""Logs are kept after a pod is gone, and found by the id of a request."""

import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, expect

from tests.commands import how_it_ended
from tests.e2e.asking import ask
from tests.e2e.conftest import PAGE_PATIENCE
from tests.e2e.deployment import Deployment
from tests.e2e.enforcement import skip_where_declared_only
from tests.e2e_addons.forwarded import forwarded

_PAGE = "http://127.0.0.1:{port}/select/vmui/#/"
PICTURE = Path(__file__).parents[2] / ".local" / "screenshots" / "logs.png"


@pytest.fixture(scope="module", autouse=True)
def log_store(deployment: Deployment) -> None:
    for workload in ("statefulset/logs", "daemonset/logs-agent"):
        namespace = workload.partition("/")[2]
        deployment.kubectl("-n", namespace, "rollout", "status", workload, "--timeout=600s")


def _asked(deployment: Deployment) -> str:
    """The id of a request that went through the frontend to the backend."""
    # Behind a gateway the id is the gateway's, whatever the client gives.
    given = {"X-Request-ID": f"e2e-{uuid4().hex}"}
    return ask("GET", f"{deployment.frontend}/api/me", headers=given).headers["X-Request-ID"]


def _found(deployment: Deployment, *arguments: str, enough: Callable[[set[str]], bool]) -> set[str]:
    """The pods with lines that a search finds, asked again until they are enough."""
    pods: set[str] = set()
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        done = deployment.ops("logs", *arguments)
        assert done.returncode == 0, how_it_ended(done)
        pods = {line.split()[0] for line in done.stdout.splitlines()}
        if enough(pods):
            break
        time.sleep(1)
    return pods


def test_a_request_is_found_in_the_lines_of_both_services(deployment: Deployment) -> None:
    request = _asked(deployment)
    pods = _found(deployment, "--request", request, enough=lambda pods: len(pods) == 2)
    assert {pod.partition("-")[0] for pod in pods} == {"frontend", "backend"}, pods
    query = f'request_id:="{request}"'
    only = _found(deployment, "backend", "--search", query, enough=bool)
    assert {pod.partition("-")[0] for pod in only} == {"backend"}


def test_the_lines_of_a_pod_that_is_gone_are_still_found(deployment: Deployment) -> None:
    request = _asked(deployment)
    pods = _found(deployment, "--request", request, enough=lambda pods: len(pods) == 2)
    deployment.kubectl("delete", "pod", "--wait", *pods)
    deployment.wait_ready()
    assert not pods & set(deployment.pods())
    assert _found(deployment, "--request", request, enough=bool) == pods


def test_the_applications_lines_alone_are_searched(deployment: Deployment) -> None:
    done = deployment.ops("logs", "--search", "* | stats by (kubernetes.pod_namespace) count()")
    assert done.returncode == 0, how_it_ended(done)
    (line,) = done.stdout.splitlines()
    assert f"kubernetes.pod_namespace={deployment.namespace}" in line.split()
    wrong = deployment.ops("logs", "--search", "(")
    assert wrong.returncode == 2
    assert "The log store refuses the search" in wrong.stderr


def test_the_application_does_not_reach_the_log_store(deployment: Deployment) -> None:
    skip_where_declared_only(deployment)
    script = (
        "import socket\n"
        "try: socket.create_connection(('logs.logs.svc', 9428), 3); print('reached')\n"
        "except OSError: print('refused')"
    )
    said = deployment.kubectl("exec", "deployment/backend", "--", "python", "-c", script)
    assert said.splitlines()[-1] == "refused"


def test_the_web_page_shows_the_lines_of_a_request(
    deployment: Deployment, browser: Browser
) -> None:
    request = _asked(deployment)
    pods = _found(deployment, "--request", request, enough=lambda pods: len(pods) == 2)
    with forwarded("logs", "service/logs", 9428) as port:
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(PAGE_PATIENCE)
        page.goto(f"{_PAGE.format(port=port)}?query=request_id%3A%3D%22{request}%22")
        expect(page.get_by_text("Total logs returned: 2")).to_be_visible()
        page.get_by_text("JSON", exact=True).click()
        for pod in pods:
            expect(page.locator("body")).to_contain_text(pod)
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURE)
        page.close()
