"""Runs tests side by side: what one says is shown as it says it, the others' words after its."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from console.duration import duration
from toolchain import ui


@dataclass(frozen=True)
class Job:
    """A command whose exit code says whether all is well."""

    title: str
    """What it tests, as a sentence can name it."""
    command: Sequence[str | Path]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Variables that it gets beside those that there are."""


def failed(shown: Job, *beside: Job) -> list[str]:
    """Runs jobs at once, and returns the titles of those that failed.

    Args:
        shown: Says what it has to say at once.
        beside: Run meanwhile; the output of each is shown, whole, when it and `shown` are done.
    """
    begin = time.monotonic()
    running: list[tuple[Job, subprocess.Popen[bytes], IO[bytes]]] = []
    with ExitStack() as files:
        try:
            for job in beside:
                output = files.enter_context(tempfile.TemporaryFile())
                running.append((job, _start(job, output), output))
            ui.say(f"▸ {shown.title}")
            codes = {shown.title: _start(shown, None).wait()}
            for job, process, output in running:
                codes[job.title] = process.wait()
                output.seek(0)
                ui.say(f"▸ {job.title}")
                ui.say(output.read().decode(errors="replace").rstrip())
        finally:
            # Nothing goes on behind the back of who has interrupted it.
            for _, process, _ in running:
                process.terminate()
                process.wait()
    ui.say(f"▸ {duration(time.monotonic() - begin)}")
    return [title for title, code in codes.items() if code]


def _start(job: Job, output: IO[bytes] | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [str(it) for it in job.command],
        cwd=job.folder,
        env=os.environ | job.environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
    )
