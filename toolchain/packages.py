"""Debian's packages."""

from __future__ import annotations

import os
import shutil

from console.failure import Failure
from toolchain import paths, ui


def install(packages: list[str], *, why: str) -> None:
    """Installs packages.

    Args:
        packages: Their names.
        why: What needs them.

    Raises:
        Failure: This is not root, there is no apt, or the mirror cannot be reached.
    """
    names = " ".join(packages)
    if os.geteuid() != 0:
        raise Failure(
            f"{why} needs the packages {names}, and only root can install them; run again with "
            "sudo, or install them."
        )
    if not shutil.which("apt-get"):
        raise Failure(
            f"{why} needs {names}; install them with this system's package manager and run again."
        )
    ui.say(f"  {names}: not found, installing Debian's packages")
    log, environment = (
        paths.LOCAL / "log" / "apt.log",
        os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
    )
    hint = "check that Debian's package mirror can be reached and run again"
    ui.run(["apt-get", "update"], log=log, what="apt-get update", env=environment, hint=hint)
    ui.run(
        ["apt-get", "install", "-y", "--no-install-recommends", *packages],
        log=log,
        what="apt-get install",
        env=environment,
        hint=hint,
    )
