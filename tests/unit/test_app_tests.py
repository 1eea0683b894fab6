"""Which of the application's own tests this machine has the tools for."""

from pathlib import Path

import pytest

from tests.unit.fake_tools import Tools
from toolchain import app_tests, python_env, ui


@pytest.mark.parametrize(
    ("version", "enough"),
    [
        ("v18.20.8", False),
        ("v20.18.3", False),
        ("v20.19.0", True),
        ("v24.2.0", True),
        (None, False),
    ],
)
def test_a_node_that_the_frontends_tests_would_not_run_on_leaves_them_out(
    version: str | None,
    enough: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tools = Tools(tmp_path, monkeypatch)
    if version:
        tools.install("npm")
        tools.answer("node --version", f"{version}\n")
    monkeypatch.setattr(python_env, "install", lambda *_: None)
    monkeypatch.setattr(ui, "run", lambda *_, **__: None)
    titles = [it.title for it in app_tests.jobs()]
    assert ("apps/frontend" in titles) is enough
    assert ("they need Node.js 20.19 or newer" in capsys.readouterr().out) is not enough
