"""Finds checkov, or installs it into an environment of its own."""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

from tests.recording import ROOT

REQUIREMENTS = ROOT / "requirements-checkov.txt"
_HOME = ROOT / ".local" / "checkov"


def checkov() -> Path:
    """Returns the program of the pinned version; the first call takes a few seconds with uv.

    Raises:
        OSError: It is not there and cannot be installed.
    """
    program = _HOME / "bin" / "checkov"
    stamp = _HOME / "requirements.txt"
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return program
    uv = shutil.which("uv")
    if uv:
        _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(_HOME))
        _run(uv, "pip", "install", "--quiet", "--python", str(_HOME), "-r", str(REQUIREMENTS))
    else:
        venv.create(_HOME, clear=True, with_pip=True)
        pip = str(_HOME / "bin" / "pip")
        _run(pip, "install", "--quiet", "--disable-pip-version-check", "-r", str(REQUIREMENTS))
    stamp.write_text(wanted, encoding="utf-8")
    return program


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0:
        raise OSError(f"checkov cannot be installed: {done.stderr.strip()[-300:]}")
