"""What was made once and is kept: a folder for each thing, with the sums of its files.

A thing is named after what it is, the machines it is for and a digest of what it is made from, so
its name alone says whether it fits. There are two places: this user's cache, and the folder that
`TODO_CACHE` names. A team or CI fills that one with a copy of such a cache; it is only read, and
nothing out of it is run before its sums were found right.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from console.failure import Failure
from toolchain import missing, paths, ui

VARIABLE = "TODO_CACHE"
SUMS = "SHA256SUMS"
"""The file of a thing that has the sums of the others, as `sha256sum --check` reads it."""
_PART = 2**20
"""Bytes that are copied at once."""


def place(name: str, digest: str) -> Path:
    """Returns the folder in this user's cache that holds, or will hold, a thing.

    Args:
        name: What it is.
        digest: The hexadecimal digest of all that it is made from.
    """
    return paths.cache() / "built" / f"{name}-{_machine()}-{digest[:12]}"


def has(thing: Path, files: Sequence[str]) -> bool:
    """Returns whether a thing is in its folder completely."""
    return all((thing / file).is_file() for file in (*files, SUMS))


def shared(thing: Path) -> Path | None:
    """Returns a thing's folder in the shared cache, if there is one and it has the thing.

    Raises:
        Failure: `TODO_CACHE` names no folder that can be read.
    """
    given = os.environ.get(VARIABLE)
    if not given:
        return None
    folder = Path(given)
    if not folder.is_absolute():
        raise Failure(
            f"{VARIABLE}={given} is no absolute path; write it from / on, or unset {VARIABLE} to "
            "build here, and run again; nothing was changed."
        )
    try:
        names = {it.name for it in folder.iterdir()}
    except OSError as error:
        raise Failure(
            f"{VARIABLE}={given} cannot be read ({error.strerror}); correct it, or unset "
            f"{VARIABLE} to build here, and run again; nothing was changed."
        ) from None
    return folder / thing.name if thing.name in names else None


def is_absent(thing: Path, files: Sequence[str]) -> bool:
    """Returns whether a thing has to be made, since neither place has it.

    Raises:
        Failure: `TODO_CACHE` names no folder that can be read.
    """
    return not has(thing, files) and shared(thing) is None


def take(thing: Path, files: Sequence[str], *, mode: int) -> bool:
    """Copies a thing out of the shared cache, if it is there, and returns whether it was.

    Args:
        thing: Its folder in this user's cache.
        files: Its files.
        mode: Their permissions, which a copy of a cache may have lost.

    Raises:
        Failure: It cannot be read, or is not what was built.
    """
    source = shared(thing)
    if source is None:
        return False

    def copy(staged: Path) -> None:
        for file in files:
            _copy(source, file, staged)
            (staged / file).chmod(mode)
        with _reading(source):
            lines = [line.split(maxsplit=1) for line in (source / SUMS).read_text().splitlines()]
            sums = {name: digest for digest, name in lines}
        # What was copied is looked at, so that nothing can change between the look and the use.
        for file in files:
            if sums.get(file) != _sum(staged / file):
                raise Failure(
                    f"{source / file} is not what was built, by its SHA-256 in {SUMS}; remove "
                    f"{source}, or copy it there again, and run again; nothing of it was used."
                )

    keep(thing, copy)
    ui.say(f"  {thing.name}: taken from {VARIABLE}, its sums are right")
    return True


def provide(thing: Path, files: Sequence[str], make: Callable[[Path], None], *, mode: int) -> None:
    """Makes a thing and keeps it, unless it is kept already or the shared cache has it.

    Args:
        thing: Its folder.
        files: Names of its files.
        make: As `keep` wants it.
        mode: Of files that are copied out of the shared cache.

    Raises:
        Failure: What the shared cache has is not what was made.
    """
    if not has(thing, files) and not take(thing, files, mode=mode):
        keep(thing, make)


def keep(thing: Path, make: Callable[[Path], None]) -> None:
    """Makes a thing and keeps it with its sums; interrupted, nothing is left half-made.

    One that another `make up` has kept meanwhile is left as it is, since that one uses it.

    Args:
        thing: Its folder.
        make: Writes its files into the empty folder that it is given.
    """
    thing.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=thing.parent, prefix=f".{thing.name}-") as scratch:
        staged = Path(scratch, "out")
        staged.mkdir()
        make(staged)
        made = sorted(file.name for file in staged.iterdir())
        sums = (f"{_sum(staged / name)}  {name}\n" for name in made)
        (staged / SUMS).write_text("".join(sums))
        if has(thing, made):
            return
        # Rests of one that was broken by hand.
        shutil.rmtree(thing, ignore_errors=True)
        try:
            staged.rename(thing)
        except OSError:
            if not has(thing, made):
                raise


@contextmanager
def _reading(source: Path) -> Generator[None]:
    """Says what of a thing in the shared cache cannot be read.

    Raises:
        Failure: Something cannot.
    """
    try:
        yield
    except (OSError, ValueError) as error:
        reason = f"{error.strerror}: {error.filename}" if isinstance(error, OSError) else error
        raise Failure(
            f"{source} is incomplete or cannot be read ({reason}); remove it, or copy it there "
            "again, and run again; nothing of it was used."
        ) from None


def _copy(source: Path, file: str, target: Path) -> None:
    """Copies a file of a thing; what cannot be written is no fault of the shared cache.

    Raises:
        Failure: It cannot be read.
        OSError: It cannot be written.
    """
    with _reading(source):
        content = (source / file).open("rb")
    with content, (target / file).open("wb") as copy:
        while True:
            with _reading(source):
                part = content.read(_PART)
            if not part:
                return
            copy.write(part)


def _sum(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _machine() -> str:
    return f"{sys.platform}-{missing.architecture()}"
