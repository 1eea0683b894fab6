"""Virtual environments of what requirements.lock has, by uv, else by venv and pip."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from console.failure import Failure
from toolchain import lock, paths, ui


def ensure(*sections: str, constrained: bool = True) -> None:
    """Makes or updates the project's `.venv`.

    Args:
        sections: What of the lock is needed beside the program's; that of an earlier run stays.
        constrained: Hold the Pulumi SDKs to the versions whose plugins the toolchain can build.

    Raises:
        Failure: The packages cannot be installed.
    """
    kept = {*sections, *_state(paths.VENV).get("sections", [])}
    install_program(paths.VENV, *kept, constrained=constrained)


def install_program(venv: Path, *sections: str, constrained: bool) -> None:
    """Makes or updates an environment that the program runs in.

    Raises:
        Failure: The packages cannot be installed.
    """
    locked = lock.sections()
    own = [lock.PROGRAM, *sorted(({*sections} & locked.keys()) - {lock.PROGRAM})]
    install(
        venv,
        [paths.REQUIREMENTS],
        [paths.CONSTRAINTS] if constrained else [],
        hashed="".join(locked[it] for it in own),
        sections=own,
    )


def python() -> Path:
    """Returns the Python of the project's `.venv`.

    Raises:
        Failure: There is none yet.
    """
    found = _python(paths.VENV)
    if not found.exists():
        raise Failure(
            "The Python environment is missing; run `make install`, then this again; nothing was "
            "changed."
        )
    return found


def uv() -> list[str] | None:
    """Returns the command that runs uv, if it is installed."""
    found = shutil.which("uv")
    command = [found] if found else [sys.executable, "-m", "uv"]
    return command if ui.capture([*command, "--version"]) else None


def install(
    venv: Path,
    requirements: Sequence[Path],
    constraints: Sequence[Path] = (),
    *,
    hashed: str = "",
    sections: Sequence[str] = (),
) -> None:
    """Makes or updates a virtual environment; nothing happens when what goes in has not changed.

    Args:
        venv: The environment's folder.
        requirements: Files of requirements.
        constraints: Files of constraints to them.
        hashed: Requirements with hashes, which pip wants apart from those without.
        sections: What to remember of them.

    Raises:
        Failure: The packages cannot be installed.
    """
    name = venv.relative_to(paths.PROJECT)
    contents = [hashed.encode(), *(f.read_bytes() for f in (*requirements, *constraints))]
    wanted = {
        "digest": hashlib.sha256(b"\0".join(contents)).hexdigest(),
        "sections": list(sections),
    }
    if _state(venv) == wanted:
        ui.say(f"  python environment: up to date ({name})")
        return
    with ui.step(f"Python environment ({name})"), tempfile.NamedTemporaryFile("w") as file:
        file.write(hashed)
        file.flush()
        runs = [["--require-hashes", "-r", file.name]] if hashed else []
        if requirements:
            runs.append(
                [a for f in requirements for a in ("-r", str(f))]
                + [a for f in constraints for a in ("-c", str(f))]
            )
        _install(venv, runs)
        (venv / ".requirements").write_text(json.dumps(wanted))


def _python(venv: Path) -> Path:
    return venv / "bin" / "python"


def _state(venv: Path) -> dict[str, Any]:
    if not _python(venv).exists():
        return {}  # it is gone, or the system's Python that it is made of
    try:
        return json.loads((venv / ".requirements").read_text())
    except (OSError, ValueError):
        return {}


def _install(venv: Path, runs: Sequence[Sequence[str]]) -> None:
    log = paths.LOCAL / "log" / "python.log"
    hint = "check that PyPI can be reached and run again"
    python, command = _python(venv), uv()
    for it in (venv / "bin").glob("python*"):
        if it.is_symlink() and not it.exists():
            it.unlink()  # over which no other is made
    # Pulumi asks pip for the packages, which comes last.
    is_made = python.exists() and (venv / "bin" / "pip").exists()
    if command is None:
        if not is_made:
            ui.run(
                [sys.executable, "-m", "venv", venv],
                log=log,
                what="making a virtual environment",
                hint="install python3-venv and run again",
            )
        install = [python, "-m", "pip", "install", "-q"]
    else:
        if not is_made:
            ui.run(
                [*command, "venv", "--seed", "--allow-existing", venv],
                log=log,
                what="making a virtual environment",
                hint=hint,
            )
        install = [*command, "pip", "install", "--python", python]
    for arguments in runs:
        ui.run([*install, *arguments], log=log, what="installing Python packages", hint=hint)
