"""The deployed stack, a clone of the project to edit, and a real browser."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.deployment import PROJECT, Deployment
from tests.installed_library import strangers_python, wheel

__all__ = ["strangers_python", "wheel"]

_FLAGS = [
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
    assert view.returncode == 0, view.stderr
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


@pytest.fixture
def workspace(deployment: Deployment, tmp_path: Path) -> Iterator[Deployment]:
    """The same stack from a clone of the project, to edit and commit in.

    The clone begins as the project is, uncommitted changes included; afterwards the project is
    deployed again.
    """
    clone = tmp_path / "project"
    _git("clone", "--quiet", str(PROJECT), str(clone), folder=tmp_path)
    for name in _git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if (PROJECT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, clone / name)
    for name in (".local", ".venv"):
        (clone / name).symlink_to(PROJECT / name)
    _git("config", "user.name", "Tests", folder=clone)
    _git("config", "user.email", "tests@example.org", folder=clone)
    _git("add", "--all", folder=clone)
    _git("commit", "--quiet", "--allow-empty", "--message", "As deployed", folder=clone)
    yield Deployment(project=clone)
    deployment.up("--refresh")
    deployment.wait_ready()


def _git(*arguments: str, folder: Path = PROJECT) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser; closed after each file, since its event loop allows no other in the process."""
    executable = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    )
    if executable is None:
        pytest.fail(
            "a Chromium is needed: install the package chromium, or set CHROMIUM to its path"
        )
    # A page tries again every five seconds while the service is away, and this machine may be busy.
    expect.set_options(timeout=20_000)
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
