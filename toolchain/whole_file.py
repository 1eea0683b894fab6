"""Writing a file whole: it has the old text or all of the new, also where the disk is full."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


def replace(file: Path, text: str, *, private: bool = False) -> None:
    """Writes a text into a file, in the place of what was in it.

    Args:
        file: The file; where it is a link, the file that it leads to.
        text: The text.
        private: Whether nobody else may read it.

    Raises:
        OSError: It cannot be written, and is as it was.
    """
    target = file.resolve()
    with _beside(target, text) as written:
        if target.exists() and not private:
            shutil.copymode(target, written)
        elif not private:
            written.chmod(0o644)
        written.replace(target)


def make(file: Path, text: str) -> None:
    """Writes a text into a new file, which nobody else may read.

    Args:
        file: The file.
        text: The text.

    Raises:
        FileExistsError: Another process has made one meanwhile.
        OSError: It cannot be written, and there is none.
    """
    with _beside(file, text) as written:
        try:
            # Unlike a renaming, it replaces nothing.
            os.link(written, file)
        except FileExistsError:
            raise
        except OSError:
            written.rename(file)  # on a file system that knows no links


@contextmanager
def _beside(target: Path, text: str) -> Generator[Path]:
    """Yields a file next to another with a text in it, which is gone with the block."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    written = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield written
    finally:
        written.unlink(missing_ok=True)
