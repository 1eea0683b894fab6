"""Virtual environments: uv where it is installed, else venv and pip; requirements.txt is the truth."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from console.failure import Failure
from toolchain import paths, ui

OLDEST_PYTHON = (3, 11)


def ensure(*extras: str, constrained: bool = True) -> None:
    """Make or update the project's ``.venv``.

    Args:
        extras: Names of further ``requirements-<extra>.txt`` files; those of an earlier run stay.
        constrained: Hold the Pulumi SDKs to the versions whose plugins the toolchain can build.

    Raises:
        Failure: Python is too old, or the packages cannot be installed.
    """
    kept = {*extras, *_state(paths.VENV).get("extras", [])}
    known = sorted(e for e in kept if (paths.PROJECT / f"requirements-{e}.txt").exists())
    files = [
        paths.PROJECT / "requirements.txt",
        *(paths.PROJECT / f"requirements-{e}.txt" for e in known),
    ]
    install(paths.VENV, files, [paths.CONSTRAINTS] if constrained else [], extras=known)


def python() -> Path:
    """The Python of the project's ``.venv``.

    Raises:
        Failure: There is none yet.
    """
    found = paths.VENV / "bin" / "python"
    if not found.exists():
        raise Failure(
            "The Python environment is missing; run `make install`, then this again; nothing was changed."
        )
    return found


def install(
    venv: Path, requirements: list[Path], constraints: list[Path], *, extras: Sequence[str] = ()
) -> None:
    """Make or update a virtual environment; nothing happens when its files have not changed.

    Raises:
        Failure: Python is too old, or the packages cannot be installed.
    """
    if sys.version_info < OLDEST_PYTHON:
        raise Failure(
            f"Python {sys.version.split()[0]} is too old; install Python 3.11 or newer and run again."
        )
    name = venv.relative_to(paths.PROJECT)
    digest = hashlib.sha256(
        b"\0".join(f.read_bytes() for f in (*requirements, *constraints))
    ).hexdigest()
    wanted = {"digest": digest, "extras": list(extras)}
    if _state(venv) == wanted:
        ui.say(f"  python environment: up to date ({name})")
        return
    with ui.step(f"Python environment ({name})"):
        _install(
            venv,
            [a for f in requirements for a in ("-r", str(f))]
            + [a for f in constraints for a in ("-c", str(f))],
        )
        (venv / ".requirements").write_text(json.dumps(wanted))


def _state(venv: Path) -> dict[str, Any]:
    try:
        return json.loads((venv / ".requirements").read_text())
    except (OSError, ValueError):
        return {}


def _install(venv: Path, arguments: list[str]) -> None:
    log = paths.LOCAL / "log" / "python.log"
    hint = "check that PyPI can be reached and run again"
    python = venv / "bin" / "python"
    uv = [shutil.which("uv") or sys.executable, *([] if shutil.which("uv") else ["-m", "uv"])]
    if ui.capture([*uv, "--version"]):
        if not (venv / "bin" / "pip").exists():  # Pulumi asks pip for the packages
            ui.run(
                [*uv, "venv", "--seed", "--allow-existing", venv],
                log=log,
                what="making a virtual environment",
                hint=hint,
            )
        ui.run(
            [*uv, "pip", "install", "--python", python, *arguments],
            log=log,
            what="installing Python packages",
            hint=hint,
        )
        return
    if not python.exists():
        ui.run(
            [sys.executable, "-m", "venv", venv],
            log=log,
            what="making a virtual environment",
            hint="install python3-venv and run again",
        )
    ui.run(
        [python, "-m", "pip", "install", "-q", *arguments],
        log=log,
        what="installing Python packages",
        hint=hint,
    )
