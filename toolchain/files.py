"""Putting programs where they are looked for; interrupted, nothing is left half-made."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from toolchain import paths


def link_or_copy(source: Path, target: Path) -> None:
    """Links a file, and copies it where the target is on another file system."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def place(source: Path, target: Path, put: Callable[[Path, Path], object] = link_or_copy) -> None:
    """Puts a program where there is none."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    put(source, partial)
    partial.chmod(0o755)
    partial.rename(target)


def link_programs(programs: Iterable[Path]) -> None:
    """Makes programs available in `.local/bin`, which a fresh clone has not got yet."""
    paths.BIN.mkdir(parents=True, exist_ok=True)
    for binary in programs:
        if not binary.is_file():
            continue
        link = paths.BIN / binary.name
        if link.is_symlink() and link.resolve() == binary.resolve():
            continue
        link.unlink(missing_ok=True)
        link.symlink_to(binary)
