"""The lock: every Python package that this repository installs, with its version and hashes.

`requirements.lock` has a section for each group of packages, which pip and uv read as it is.
Pulumi's own packages are not in it: their versions go with the plugins on the machine
(`constraints.txt`).
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolchain import paths, ui

PROGRAM = "program"
"""The section that all others but `ALONE` add to: the library with its extras, and the policies."""
ALONE = "checkov"
"""The section whose packages share an environment with no others."""

_HEAD = "# Written by `make lock`; do not edit. Made from: {}\n"
_SECTION = re.compile(r"^# Section: (\S+)\n", re.MULTILINE)
_ENTRY = re.compile(r"^([\w.-]+)==([^\s;]+).*\n(?:    .*\n)*", re.MULTILINE)
_NAME = re.compile(r"[\w.-]+")


def sections() -> dict[str, str]:
    """Returns the requirements of each section, pinned with their hashes."""
    _, *parts = _SECTION.split(_read(paths.LOCK))
    return dict(zip(parts[::2], parts[1::2], strict=True))


def is_current() -> bool:
    """Returns whether the lock is of what pyproject.toml and constraints.txt ask for today."""
    return _read(paths.LOCK).startswith(_HEAD.format(_asked_for()))


def program_requirements() -> str:
    """Returns the text of requirements.txt, for `pulumi install`, which reads no other file."""
    locked = {_name(it[1]): it[2] for it in _ENTRY.finditer(sections()[PROGRAM])}
    lines = (
        "# Written by `make lock` from pyproject.toml, for `pulumi install`. Ranges only where the",
        "# plugin on the machine decides (see toolchain/constraints.txt).",
        *(f"{n}=={locked[n]}" if (n := _name(it)) in locked else it for it in _program()),
    )
    return "".join(f"{line}\n" for line in lines)


def write(uv: Sequence[str]) -> None:
    """Resolves what pyproject.toml asks for; versions that still fit stay as they are.

    Args:
        uv: The command that runs uv, which alone resolves for every platform at once.

    Raises:
        Failure: The packages cannot be resolved.
    """
    groups = [it for it in _pyproject()["dependency-groups"] if it not in ("policy", ALONE)]
    before = sections() if paths.LOCK.exists() else {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        everything, alone = folder / "everything.txt", folder / "alone.txt"
        # uv keeps the versions that it finds in the file it writes.
        everything.write_text("".join(before.get(it, "") for it in (PROGRAM, *groups)))
        alone.write_text(before.get(ALONE, ""))
        _compile(uv, everything, "policy", *groups)
        _compile(uv, alone, ALONE)
        found: dict[str, str] = {}
        for section, wanted in [(PROGRAM, ()), *((it, (it,)) for it in groups)]:
            part = folder / f"{section}.txt"
            _compile(uv, part, "policy", *wanted, constraints=everything)
            entries = (it[0] for it in _ENTRY.finditer(part.read_text()))
            found[section] = "".join(it for it in entries if it not in found.get(PROGRAM, ""))
        found[ALONE] = alone.read_text()
    parts = (f"# Section: {name}\n{part}" for name, part in found.items())
    paths.LOCK.write_text(_HEAD.format(_asked_for()) + "".join(parts))
    paths.REQUIREMENTS.write_text(program_requirements())


def _compile(
    uv: Sequence[str], output: Path, *groups: str, constraints: Path = paths.CONSTRAINTS
) -> None:
    with_project = [paths.PYPROJECT, "--all-extras", "--constraints", paths.CONSTRAINTS]
    ui.run(
        [
            *(*uv, "pip", "compile", "--quiet", "--universal", "--generate-hashes"),
            *("--python-version", _pyproject()["project"]["requires-python"].lstrip(">=")),
            *("--no-header", "--no-annotate", "--output-file", output),
            *(a for it in groups for a in ("--group", f"{paths.PYPROJECT}:{it}")),
            *(a for it in _program() if it.startswith("pulumi") for a in _left_out(it)),
            *([] if groups == (ALONE,) else with_project),
            *("--constraints", constraints),
        ],
        log=paths.LOCAL / "log" / "lock.log",
        what="resolving Python packages",
        cwd=paths.PROJECT,
        hint="correct pyproject.toml",
    )


def _left_out(requirement: str) -> tuple[str, str]:
    return "--no-emit-package", _name(requirement)


def _program() -> list[str]:
    project = _pyproject()
    own = project["project"]
    found = [
        *own["dependencies"],
        *(it for extra in own["optional-dependencies"].values() for it in extra),
        *project["dependency-groups"]["policy"],
    ]
    return [it for it in found if _name(it) != own["name"]]


def _asked_for() -> str:
    project = _pyproject()
    own = project["project"]
    asked = [own["requires-python"], own["dependencies"], own["optional-dependencies"]]
    asked += [project["dependency-groups"], _read(paths.CONSTRAINTS)]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _pyproject() -> dict[str, Any]:
    import tomllib  # only here, so that an older Python gets as far as being told its age

    return tomllib.loads(_read(paths.PYPROJECT))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _name(requirement: str) -> str:
    found = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""
