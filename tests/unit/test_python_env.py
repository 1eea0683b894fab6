"""The Python that sets up, and the environments that it makes."""

import ast
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import toolchain
from toolchain import paths, python_env


def test_a_python_that_is_too_old_is_told_before_it_reads_a_module(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 18, "final", 0))
    with pytest.raises(SystemExit, match=r"Python 3\.9\.18 is too old; install Python 3\.11 or"):
        importlib.reload(toolchain)
    text = Path(toolchain.__file__).read_text(encoding="utf-8")
    nodes = ast.walk(ast.parse(text, feature_version=(3, 8)))
    imports = [ast.unparse(it) for it in nodes if isinstance(it, ast.Import | ast.ImportFrom)]
    assert imports == ["import sys"]


def test_nothing_is_installed_again_when_nothing_has_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed: list[Path] = []

    def install(venv: Path, _: Sequence[Sequence[str]]) -> None:
        installed.append(venv)
        venv.mkdir(exist_ok=True)

    monkeypatch.setattr(python_env, "_install", install)
    monkeypatch.setattr(paths, "PROJECT", tmp_path)
    monkeypatch.setattr(paths, "VENV", tmp_path / ".venv")
    for sections in ((), (), ("ops",), (), ("ops",)):
        python_env.ensure(*sections)
    assert len(installed) == 2  # of the program alone, then with what the operations need
