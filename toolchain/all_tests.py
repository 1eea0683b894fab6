"""Runs all tests that need no cluster: the program's, and the application's beside them."""

from __future__ import annotations

from console.failure import Failure
from toolchain import app_tests, jobs, paths, python_env, ui

_SIDE_BY_SIDE = ("-n", "auto", "--maxprocesses", "8", "--dist", "loadfile")
"""A process for each core, a file in one of them, since its tests share what they are made from.

Beyond eight, starting a process takes longer than what it does."""


def run() -> None:
    """Runs them, and says in one sentence whether all is well.

    Raises:
        Failure: A test failed.
    """
    beside = app_tests.jobs()
    command = [python_env.python(), "-m", "pytest", *_SIDE_BY_SIDE]
    failed = jobs.failed(jobs.Job("the program", command, paths.PROJECT), *beside)
    if failed:
        raise Failure(
            f"The tests of {' and '.join(failed)} failed; the output above says which and why."
        )
    ui.say("All tests passed.")
