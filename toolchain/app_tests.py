"""Runs the application's own tests.

The backend's on a real PostgreSQL, after a look at its types; the frontend's on Node.js.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from console.failure import Failure
from toolchain import paths, python_env, ui

_BACKEND = paths.PROJECT / "apps" / "backend"
_FRONTEND = paths.PROJECT / "apps" / "frontend"
_OLDEST_NODE = 20


def run() -> None:
    """Runs both; what this machine has no tool for is named in one line and left out.

    Raises:
        Failure: A test failed.
    """
    venv = paths.LOCAL / "backend-venv"
    python_env.install(venv, [_BACKEND / "requirements-dev.txt"])
    _test([venv / "bin" / "python", "-m", "mypy", "--cache-dir", paths.LOCAL / "mypy"], _BACKEND)
    _test([venv / "bin" / "python", "-m", "pytest"], _BACKEND)
    if _node() is None:
        ui.say(f"Frontend tests not run: they need Node.js {_OLDEST_NODE} or newer.")
        return
    lock, installed = (
        _FRONTEND / "package-lock.json",
        _FRONTEND / "node_modules" / ".package-lock.json",
    )
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        with ui.step("Frontend packages"):
            ui.run(
                ["npm", "ci", "--no-audit", "--no-fund"],
                log=paths.LOCAL / "log" / "npm.log",
                what="npm ci",
                cwd=_FRONTEND,
                hint="check that the npm registry can be reached and run again",
            )
    _test(["npm", "test"], _FRONTEND)


def _node() -> str | None:
    version = ui.capture(["node", "--version"]) if shutil.which("npm") else None
    match = re.match(r"v(\d+)\.", version or "")
    return version if match and int(match.group(1)) >= _OLDEST_NODE else None


def _test(command: Sequence[str | Path], folder: Path) -> None:
    done = subprocess.run(
        [str(c) for c in command],
        cwd=folder,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    if done.returncode:
        raise Failure(
            f"The tests in {folder.relative_to(paths.PROJECT)} failed; the output above says which "
            "and why."
        )
