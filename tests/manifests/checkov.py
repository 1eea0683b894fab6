"""Finds checkov, or installs it into an environment of its own."""

from pathlib import Path

from toolchain import lock, paths, python_env


def checkov() -> Path:
    """Returns the program of the locked version; the first call takes a few seconds with uv.

    Raises:
        Failure: It is not there and cannot be installed.
    """
    home = paths.LOCAL / "checkov"
    python_env.install(home, [], hashed=lock.sections()[lock.ALONE])
    return home / "bin" / "checkov"
