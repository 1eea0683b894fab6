"""The project's virtual environment: uv where it is installed, else venv and pip; requirements.txt is the truth."""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

from toolchain import paths, ui

_MARKER = paths.VENV / ".requirements"
OLDEST_PYTHON = (3, 11)


def ensure(*, development: bool, constrained: bool = True) -> None:
    """Make or update ``.venv``; nothing happens when the requirements have not changed.

    Args:
        development: Also install what the tests and linters need.
        constrained: Hold the Pulumi SDKs to the versions whose plugins the toolchain can build.

    Raises:
        Failure: Python is too old, or the packages cannot be installed.
    """
    if sys.version_info < OLDEST_PYTHON:
        raise ui.Failure(f"Python {sys.version.split()[0]} is too old; install Python 3.11 or newer and run again.")
    files = [paths.PROJECT / "requirements.txt"]
    if development or "development" in _state():
        files.append(paths.PROJECT / "requirements-dev.txt")
        development = True
    digest = hashlib.sha256(b"".join(f.read_bytes() for f in (*files, paths.CONSTRAINTS))).hexdigest()
    wanted = f"{digest} {'constrained' if constrained else 'newest'}{' development' if development else ''}"
    if _state() == wanted:
        ui.say("  python environment: up to date (.venv)")
        return
    with ui.step("Python environment (.venv)"):
        _install(files, constrained)
        _MARKER.write_text(wanted)


def _state() -> str:
    return _MARKER.read_text() if _MARKER.exists() else ""


def _install(files: list[Path], constrained: bool) -> None:
    log = paths.LOCAL / "log" / "python.log"
    arguments = [a for f in files for a in ("-r", str(f))] + (["-c", str(paths.CONSTRAINTS)] if constrained else [])
    hint = "check that PyPI can be reached and run again"
    python = paths.VENV / "bin" / "python"
    uv = [shutil.which("uv")] if shutil.which("uv") else [sys.executable, "-m", "uv"]
    if ui.capture([str(u) for u in uv] + ["--version"]):
        if not (paths.VENV / "bin" / "pip").exists():  # Pulumi asks pip for the packages
            ui.run([*map(str, uv), "venv", "--seed", "--allow-existing", paths.VENV], log=log, what="making .venv", hint=hint)
        ui.run(
            [*map(str, uv), "pip", "install", "--python", python, *arguments], log=log, what="installing Python packages", hint=hint
        )
        return
    if not python.exists():
        ui.run([sys.executable, "-m", "venv", paths.VENV], log=log, what="making .venv", hint="install python3-venv and run again")
    ui.run([python, "-m", "pip", "install", "-q", *arguments], log=log, what="installing Python packages", hint=hint)
