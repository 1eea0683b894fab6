"""The Python that sets up, and the environments that it makes."""

# pyright: reportPrivateUsage=false
import ast
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import toolchain
from toolchain import paths, python_env, ui


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
        (venv / "bin").mkdir(parents=True, exist_ok=True)
        (venv / "bin" / "python").touch()

    monkeypatch.setattr(python_env, "_install", install)
    monkeypatch.setattr(paths, "PROJECT", tmp_path)
    monkeypatch.setattr(paths, "VENV", tmp_path / ".venv")
    for sections in ((), (), ("ops",), (), ("ops",)):
        python_env.ensure(*sections)
    assert len(installed) == 2  # of the program alone, then with what the operations need
    (tmp_path / ".venv" / "bin" / "python").unlink()
    python_env.ensure("ops")
    assert len(installed) == 3  # the system's Python, which it leads to, is another by now


@pytest.mark.parametrize("uv", [None, ["uv"]])
@pytest.mark.parametrize("left", ["nothing", "no pip", "a Python that is gone"])
def test_an_environment_that_is_broken_is_made_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, uv: list[str] | None, left: str
) -> None:
    monkeypatch.setattr(python_env, "uv", lambda: uv)
    folder = tmp_path / ".venv" / "bin"
    if left != "nothing":
        folder.mkdir(parents=True)
        there = sys.executable if left == "no pip" else "/usr/lib/gone/python3"
        (folder / "python3").symlink_to(there)
        (folder / "python").symlink_to("python3")
    if left == "a Python that is gone":
        (folder / "pip").touch()
    ran: list[str] = []

    def run(command: Sequence[str | Path], **_: object) -> None:
        if "venv" in command:
            folder.mkdir(parents=True, exist_ok=True)
            for name in ("python", "python3"):
                if not (folder / name).is_symlink():  # as both tools leave a link alone
                    (folder / name).symlink_to(sys.executable)
            (folder / "pip").touch()
        else:
            assert (folder / "python").exists()
            assert (folder / "pip").exists()
        ran.append("venv" if "venv" in command else "packages")

    monkeypatch.setattr(ui, "run", run)
    for _ in range(2):
        python_env._install(tmp_path / ".venv", [["-r", "x"]])
    assert ran == ["venv", "packages", "packages"]
