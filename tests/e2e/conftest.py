"""The deployed stack, a clone of the project to edit, and a real browser."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.commands import how_it_ended
from tests.e2e.clone import clone
from tests.e2e.deployment import Deployment
from tests.installed_library import strangers_python, wheel

__all__ = ["strangers_python", "wheel"]

PAGE_PATIENCE = 60_000
"""Milliseconds until what a page should show is taken for what it never will."""
CHROMIUM_PATIENCE = 300_000
"""Milliseconds that it may take to start: the first time all of it is read from the disk."""
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session", autouse=True)
def own_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every `kubectl` reaches the stack's cluster and no other, whatever is current here."""
    outputs = Deployment().outputs
    command = ["kubectl", "config", "view", "--raw", "--minify", "--flatten"]
    for option, output in (("--kubeconfig", "kubeconfig"), ("--context", "kubeContext")):
        command += [option, outputs[output]] if outputs.get(output) else []
    view = subprocess.run(command, capture_output=True, text=True)
    assert view.returncode == 0, how_it_ended(view)
    file = tmp_path_factory.mktemp("cluster") / "kubeconfig"
    file.touch(mode=0o600)
    file.write_text(view.stdout)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("KUBECONFIG", str(file))
        yield


@pytest.fixture(scope="session")
def deployment() -> Deployment:
    stack = Deployment()
    stack.wait_ready()
    return stack


@pytest.fixture(scope="module", autouse=True)
def settled(deployment: Deployment) -> None:
    """Each file finds the stack at rest, and the whole of what this machine's address may do.

    Some files end while pods still start, and together they sign up more often than an address may.
    """
    deployment.wait_ready()
    deployment.sql("DELETE FROM buckets")


@pytest.fixture
def workspace(deployment: Deployment, tmp_path: Path) -> Iterator[Deployment]:
    """The same stack from a clone of the project, to edit and commit in.

    The clone begins as the project is, uncommitted changes included; afterwards the project is
    deployed again.
    """
    yield Deployment(project=clone(tmp_path))
    deployment.up("--refresh")
    deployment.wait_ready()


def chromium_path() -> str:
    """Returns the path of a Chromium, without which a test fails."""
    executable = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    )
    if executable is None:
        pytest.fail(
            "a Chromium is needed: install the package chromium, or set CHROMIUM to its path"
        )
    return executable


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser; closed after each file, since its event loop allows no other in the process."""
    executable = chromium_path()
    # A page tries again every five seconds while the service is away, and this machine may be busy.
    expect.set_options(timeout=PAGE_PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=executable, args=CHROMIUM_FLAGS, timeout=CHROMIUM_PATIENCE
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, deployment: Deployment) -> Iterator[Page]:
    context = browser.new_context(base_url=deployment.frontend)
    context.set_default_timeout(PAGE_PATIENCE)
    yield context.new_page()
    context.close()


@pytest.fixture
def account() -> tuple[str, str]:
    """An address and a password nobody has used yet."""
    return f"{uuid4().hex}@example.org", uuid4().hex
