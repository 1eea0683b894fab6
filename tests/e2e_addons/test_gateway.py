"""The application through the gateway: a browser trusts it, nothing fails while it is changed."""

import json
import shutil
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, BrowserType, Error, Page, expect, sync_playwright

from addons.gateway.settings import HTTP_NODE_PORT
from tests.commands import how_it_ended
from tests.e2e.conftest import (
    CHROMIUM_FLAGS,
    CHROMIUM_PATIENCE,
    PAGE_PATIENCE,
    chromium_path,
)
from tests.e2e.deployment import PROJECT, Deployment
from tests.e2e.enforcement import skip_where_declared_only
from tests.e2e_addons.addons import ADDONS, FILE
from tests.e2e_addons.local_host import LocalHost
from tests.e2e_addons.open_loop import OpenLoop
from tests.e2e_addons.strangers import connects, strangers

NAMESPACE = "gateway"
WRONG_AT_ONCE = 10
"""Wrong passwords for one account that one address may try (todo_backend/attempts.py)."""
# Asks as somebody with another address; the certificate is another test's affair.
_ASK = """\
import json, ssl, sys, urllib.request, urllib.error
address, host, path, body, headers = sys.argv[1:]
request = urllib.request.Request(
    f"https://{address}{path}", body.encode(), {"Host": host, **json.loads(headers)})
context = ssl._create_unverified_context()
try:
    print(urllib.request.urlopen(request, context=context, timeout=15).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


@pytest.fixture(scope="module")
def host(deployment: Deployment) -> LocalHost:
    address = urlsplit(deployment.frontend)
    assert address.scheme == "https", f"this stack is not behind the gateway: {deployment.frontend}"
    authority = deployment.objects("configmap/public-authority", "--namespace", NAMESPACE)
    return LocalHost(
        name=str(address.hostname), port=address.port or 443, authority=authority["data"]["ca.crt"]
    )


@pytest.fixture
def token(host: LocalHost, account: tuple[str, str]) -> str:
    body = dict(zip(("email", "password"), account, strict=True))
    return host.ask("POST", "/api/auth/sign-up", json=body).json()["token"]


@pytest.fixture(scope="module")
def browsers() -> Iterator[BrowserType]:
    """What starts browsers; one for the whole file, since its event loop allows no other."""
    with sync_playwright() as playwright:
        yield playwright.chromium


@pytest.fixture(scope="module")
def trusting_browser(
    browsers: BrowserType, host: LocalHost, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """A browser of somebody who trusts the local authority, as docs/addons.md says how."""
    if shutil.which("certutil") is None:
        pytest.fail("certutil is needed: install the package libnss3-tools")
    home = tmp_path_factory.mktemp("home")
    (home / "ca.crt").write_text(host.authority)
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    database = ("certutil", "-d", f"sql:{store}")
    subprocess.run([*database, "-N", "--empty-password"], check=True)
    trust = ("-A", "-t", "C,,", "-n", "local", "-i", str(home / "ca.crt"))
    subprocess.run([*database, *trust], check=True)
    with started(browsers, home) as browser:
        yield browser


@contextmanager
def started(browsers: BrowserType, home: Path) -> Generator[Browser]:
    """A browser of whoever has this home."""
    browser = browsers.launch(
        executable_path=chromium_path(),
        args=CHROMIUM_FLAGS,
        env={"HOME": str(home)},
        timeout=CHROMIUM_PATIENCE,
    )
    try:
        yield browser
    finally:
        browser.close()


@pytest.fixture
def trusting_page(trusting_browser: Browser, host: LocalHost) -> Iterator[Page]:
    context = trusting_browser.new_context(base_url=host.url)
    context.set_default_timeout(PAGE_PATIENCE)
    yield context.new_page()
    context.close()


def test_a_browser_that_trusts_the_authority_shows_a_secure_page(
    trusting_page: Page, account: tuple[str, str]
) -> None:
    page, states = trusting_page, list[dict[str, Any]]()

    def changed(event: dict[str, Any]) -> None:
        states.append(event["visibleSecurityState"])

    # What the browser's padlock and its security panel show.
    panel: Any = page.context.new_cdp_session(page)
    panel.on("Security.visibleSecurityStateChanged", changed)
    panel.send("Security.enable")
    page.goto("/")
    page.get_by_label("Email").fill(account[0])
    page.get_by_label("Password").fill(account[1])
    page.get_by_role("button", name="Create account").click()
    page.get_by_label("New todo").fill("Over HTTPS")
    page.get_by_label("New todo").press("Enter")
    expect(page.get_by_text("Over HTTPS", exact=True)).to_be_visible()
    page.screenshot(path=PROJECT / ".local" / "screenshots" / "https.png")
    assert states[-1]["securityState"] == "secure"
    assert states[-1]["certificateSecurityState"]["issuer"].endswith("local authority")
    cookies = {it.get("name"): it.get("secure") for it in page.context.cookies()}
    assert cookies == {"todo_session": True, "todo_device": True}


def test_a_browser_that_does_not_trust_it_is_warned(
    browsers: BrowserType, host: LocalHost, tmp_path: Path
) -> None:
    with (
        started(browsers, tmp_path) as browser,
        pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"),
    ):
        browser.new_page().goto(host.url)


def test_http_leads_to_https_and_says_nothing_of_hsts(host: LocalHost) -> None:
    answer = httpx.get(
        f"http://{host.address}:{HTTP_NODE_PORT}/some?page=1", headers={"Host": host.name}
    )
    assert answer.status_code == 301
    assert answer.headers["location"] == f"{host.url}/some?page=1"
    assert "strict-transport-security" not in answer.headers
    assert host.ask("GET", "/").headers["strict-transport-security"] == "max-age=300"


def test_a_browser_comes_to_https_by_http(trusting_page: Page, host: LocalHost) -> None:
    for _ in range(2):  # also once it knows HSTS
        trusting_page.goto(f"http://{host.name}:{HTTP_NODE_PORT}/")
        assert trusting_page.url == f"{host.url}/"


def test_limits_count_by_the_client_s_own_address_which_no_header_changes(
    deployment: Deployment, host: LocalHost, account: tuple[str, str], token: str
) -> None:
    node = node_address(deployment)
    wrong = json.dumps({"email": account[0], "password": "wrong-" + uuid4().hex})

    with strangers(deployment, "guesser", "owner") as namespace:

        def sign_in(pod: str, **headers: str) -> str:
            sent = json.dumps({"Content-Type": "application/json", **headers})
            where = (f"{node}:{host.port}", host.netloc, "/api/auth/sign-in")
            command = ("python", "-c", _ASK, *where, wrong, sent)
            options = ("--namespace", namespace, "exec", pod, "--")
            return deployment.kubectl(*options, *command).strip()

        first = [sign_in("guesser") for _ in range(WRONG_AT_ONCE)]
        assert first == ["401"] * WRONG_AT_ONCE
        assert sign_in("guesser") == "429"
        assert sign_in("guesser", **{"X-Forwarded-For": "203.0.113.7"}) == "429"
        assert sign_in("owner") == "401"


def node_address(deployment: Deployment) -> str:
    (node, *_) = deployment.objects("nodes")["items"]
    return next(it["address"] for it in node["status"]["addresses"] if it["type"] == "InternalIP")


def restart(deployment: Deployment, namespace: str, name: str) -> None:
    where = ("--namespace", namespace)
    deployment.kubectl(*where, "rollout", "restart", f"deployment/{name}")
    deployment.kubectl(*where, "rollout", "status", f"deployment/{name}", "--timeout=300s")
    # Those that were replaced have gone, with the last of their connections.
    selector = deployment.objects(f"deployment/{name}", *where)["spec"]["selector"]["matchLabels"]
    labels = ",".join(f"{key}={value}" for key, value in selector.items())
    for pod in deployment.objects("pods", *where, "-l", labels)["items"]:
        if "deletionTimestamp" in pod["metadata"]:
            name = pod["metadata"]["name"]
            deployment.kubectl(*where, "wait", "--for=delete", f"pod/{name}", "--timeout=180s")


def assert_unharmed(load: OpenLoop) -> None:
    assert set(load.outcomes) == {"200"}, load.outcomes
    assert load.outcomes["200"] > 200, load.outcomes


def test_the_frontend_is_updated_without_a_failed_request(
    deployment: Deployment, host: LocalHost, token: str
) -> None:
    before = deployment.pods("frontend")
    with OpenLoop(host, token) as load:
        restart(deployment, deployment.namespace, "frontend")
    assert not set(before) & set(deployment.pods("frontend"))
    assert_unharmed(load)


def test_the_proxies_are_replaced_without_a_failed_request(
    deployment: Deployment, host: LocalHost, token: str
) -> None:
    with OpenLoop(host, token) as load:
        restart(deployment, NAMESPACE, "public")
    assert_unharmed(load)


def test_the_certificate_is_renewed_without_a_failed_request(host: LocalHost, token: str) -> None:
    text = FILE.read_text()
    key = ("--path", "todo-addons:settings.gateway.certificate.number")
    try:
        with OpenLoop(host, token) as load:
            done = ADDONS.pulumi("config", "set", *key, "1")
            assert done.returncode == 0, how_it_ended(done)
            ADDONS.up()
    finally:
        FILE.write_text(text)
        ADDONS.up()
    assert_unharmed(load)
    assert len(load.serials) == 2, "all connections were shown the same certificate"


def test_validate_checks_the_certificate_against_the_authority(deployment: Deployment) -> None:
    done = deployment.ops("validate", "--json", "--no-drift")
    assert done.returncode == 0, how_it_ended(done)
    found = {it["check"]: it for it in json.loads(done.stdout)["findings"]}
    assert deployment.frontend in found["address frontend"]["detail"]
    assert found["round trip"]["state"] == "ok"


def test_status_shows_where_a_browser_finds_it(deployment: Deployment, host: LocalHost) -> None:
    shown = json.loads(deployment.ops("status", "--json").stdout)
    assert shown["urls"]["frontend"] == host.url


def test_only_the_gateway_reaches_the_frontend(deployment: Deployment, host: LocalHost) -> None:
    skip_where_declared_only(deployment)
    node = node_address(deployment)
    with strangers(deployment, "stranger") as namespace:
        at = (deployment, namespace, "stranger")
        assert connects(*at, node, host.port)
        assert not connects(*at, f"frontend.{deployment.namespace}", 3000)
        assert not connects(*at, f"envoy-gateway.{NAMESPACE}", 18000)
