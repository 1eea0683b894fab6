"""Runs other programs, and sees to it that none outlives a measurement that is broken off."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from console.process_groups import end_groups

_SECONDS = 600
"""For one command; the longest builds an image from nothing and rolls it, or restores 1 GB."""
_SECONDS_TO_FINISH = 60
"""For an interrupted program: Pulumi ends what it has begun, and releases its lock."""


class Failed(SystemExit):
    """A command that failed, with a sentence; other than an interruption, which is a number."""


def command(
    *arguments: str | Path,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    text: str | None = None,
) -> str:
    """Runs a command and returns what it prints.

    Args:
        arguments: The program, and what it is told.
        cwd: Where it runs.
        environment: Variables on top of this process's.
        text: What it reads.

    Raises:
        Failed: It failed, since a measurement of a failure would be none; is not there, or does not
            end.
    """
    named = " ".join(map(str, arguments[:4]))
    try:
        with subprocess.Popen(  # noqa: S603 - built here
            [str(it) for it in arguments],
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A group of its own: Ctrl-C in the terminal is for this process, which passes it on.
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(text, timeout=_SECONDS)
            except BaseException:
                end_groups([process], _SECONDS_TO_FINISH)
                raise
    except FileNotFoundError:
        raise Failed(
            f'The command {arguments[0]} is not found; run `make up`, then eval "$(make env)".'
        ) from None
    except subprocess.TimeoutExpired:
        raise Failed(f"`{named} …` had not ended after {_SECONDS} s.") from None
    if process.returncode:
        raise Failed(f"`{named} …` failed: {(err.strip() or out.strip())[-800:]}")
    return out
