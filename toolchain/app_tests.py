"""The application's own tests.

The backend's on a real PostgreSQL, and a look at its types; the frontend's on Node.js.
"""

from __future__ import annotations

import re
import shutil

from toolchain import paths, python_env, ui
from toolchain.jobs import Job

_BACKEND = paths.PROJECT / "apps" / "backend"
_FRONTEND = paths.PROJECT / "apps" / "frontend"
_OLDEST_NODE = (20, 19)
"""Of what the tests run on: `engines` of Vite in `apps/frontend/package-lock.json`."""
_ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "1"}
"""What is beside its sources would be in the backend's image."""


def jobs() -> list[Job]:
    """Returns what tests the application, once what it needs is installed.

    What this machine has no tool for is named in one line and left out.

    Raises:
        Failure: The packages cannot be installed.
    """
    venv = paths.LOCAL / "backend-venv"
    python_env.install(venv, [_BACKEND / "requirements-dev.txt"])
    python = venv / "bin" / "python"
    types = [python, "-m", "mypy", "--cache-dir", paths.LOCAL / "mypy"]
    found = [
        Job("the types of apps/backend", types, _BACKEND, _ENVIRONMENT),
        Job("apps/backend", [python, "-m", "pytest"], _BACKEND, _ENVIRONMENT),
    ]
    if not _has_node():
        oldest = ".".join(map(str, _OLDEST_NODE))
        ui.say(f"Frontend tests not run: they need Node.js {oldest} or newer.")
        return found
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
    return [*found, Job("apps/frontend", ["npm", "test"], _FRONTEND)]


def _has_node() -> bool:
    version = ui.capture(["node", "--version"]) if shutil.which("npm") else None
    match = re.match(r"v(\d+)\.(\d+)\.", version or "")
    return match is not None and (int(match[1]), int(match[2])) >= _OLDEST_NODE
