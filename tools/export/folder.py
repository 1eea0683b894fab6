"""The folder that an export is written into: what was not exported is never touched."""

from collections.abc import Mapping
from pathlib import Path

from console.failure import ExitCode, Failure

LIST = ".exported"
"""The file that lists what an export has written, so that the next one can remove it."""


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Writes files into a folder, in place of those that an earlier export has written there.

    Args:
        folder: Is made if it is not there.
        files: Their texts, by their paths in it.

    Raises:
        Failure: A file is there that no export has written, or the folder cannot be written.
    """
    try:
        earlier = _earlier(folder)
        others = sorted(it for it in files if it not in earlier and (folder / it).exists())
        if others:
            raise Failure(
                f"{folder / others[0]} is there already, and no export wrote it: move it away, or "
                "name another folder with OUT; nothing was changed.",
                ExitCode.USAGE,
            )
        for name in earlier:
            (folder / name).unlink(missing_ok=True)
        for name, text in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        (folder / LIST).write_text("".join(f"{it}\n" for it in sorted(files)), encoding="utf-8")
    except OSError as error:
        raise Failure(
            f"{folder} cannot be written ({error.strerror}: {error.filename}); name another folder "
            "with OUT.",
            ExitCode.USAGE,
        ) from None


def _earlier(folder: Path) -> set[str]:
    """Returns what the last export has written; paths that lead out of the folder are not its."""
    try:
        names = (folder / LIST).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return set()
    inside = folder.resolve()
    return {it for it in names if it and (folder / it).resolve().is_relative_to(inside)}
