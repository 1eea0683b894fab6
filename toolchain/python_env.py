"""The project's virtual environment: uv where it is installed, else venv and pip; requirements.txt is the truth."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from toolchain import paths, ui

_MARKER = paths.VENV / ".requirements"
OLDEST_PYTHON = (3, 11)


def ensure(*extras: str, constrained: bool = True) -> None:
    """Make or update ``.venv``; nothing happens when the requirements have not changed.

    Args:
        extras: Names of further ``requirements-<extra>.txt`` files; those of an earlier run stay.
        constrained: Hold the Pulumi SDKs to the versions whose plugins the toolchain can build.

    Raises:
        Failure: Python is too old, or the packages cannot be installed.
    """
    if sys.version_info < OLDEST_PYTHON:
        raise ui.Failure(f"Python {sys.version.split()[0]} is too old; install Python 3.11 or newer and run again.")
    state = _state()
    wanted = sorted({*extras, *state.get("extras", [])})
    files = [paths.PROJECT / "requirements.txt", *(paths.PROJECT / f"requirements-{e}.txt" for e in wanted)]
    digest = hashlib.sha256(b"".join(f.read_bytes() for f in (*files, paths.CONSTRAINTS))).hexdigest()
    new = {"digest": digest, "extras": wanted, "constrained": constrained}
    if state == new:
        ui.say("  python environment: up to date (.venv)")
        return
    with ui.step("Python environment (.venv)"):
        _install(files, constrained)
        _MARKER.write_text(json.dumps(new))


def _state() -> dict[str, Any]:
    try:
        return json.loads(_MARKER.read_text())
    except (OSError, ValueError):
        return {}


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
