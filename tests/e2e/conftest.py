"""The deployed stack and a real browser."""

import os
import shutil
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.deployment import Deployment

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def deployment() -> Deployment:
    stack = Deployment()
    stack.wait_ready()
    return stack


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    )
    if executable is None:
        pytest.fail(
            "a Chromium is needed: install the package chromium, or set CHROMIUM to its path"
        )
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, deployment: Deployment) -> Iterator[Page]:
    context = browser.new_context(base_url=deployment.frontend)
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def account() -> tuple[str, str]:
    """An address and a password nobody has used yet."""
    return f"{uuid4().hex}@example.org", uuid4().hex
