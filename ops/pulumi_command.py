"""The command `pulumi`, as operations run it."""

import os
import signal
import subprocess
from collections.abc import Mapping
from typing import Any

from pulumi import automation as auto
from pulumi.automation.errors import create_command_error

from console.failure import ExitCode, Failure

_SECONDS = 1200
"""For one run: a rollout of all services, each awaited for ten minutes at most."""
_SECONDS_TO_FINISH = 120
"""For an interrupted one to finish what it has begun, to write it down, and to release its lock."""


class Command(auto.PulumiCommand):
    """Ends some time, and can be told something in confidence."""

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: auto.OnOutput | None = None,
        on_error: auto.OnOutput | None = None,
        *,
        stdin: str = "",
    ) -> auto.CommandResult:
        """Runs it as Automation does.

        Args:
            args: Its arguments.
            cwd: The project's folder.
            additional_env: Variables beside the environment's.
            on_output: For Automation; nobody here listens.
            on_error: As before.
            stdin: What it reads.

        Raises:
            CommandError: It failed.
            Failure: It did not end.
        """
        del on_output, on_error
        with subprocess.Popen(  # noqa: S603
            [self.command, "--non-interactive", *args],
            cwd=cwd,
            env={**os.environ, **additional_env, "PULUMI_AUTOMATION_API": "true"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as process:
            try:
                out, err = process.communicate(stdin, _SECONDS)
            except subprocess.TimeoutExpired:
                interrupt(process)
                raise Failure(
                    f"`pulumi {args[0]}` did not end within {_SECONDS // 60} minutes and was "
                    "interrupted; see `python -m ops validate` for what it waited for, then run "
                    "this again.",
                    ExitCode.UNREACHABLE,
                ) from None
        result = auto.CommandResult(out.rstrip(), err.rstrip(), process.returncode)
        if result.code:
            raise create_command_error(result)
        return result


def interrupt(process: subprocess.Popen[Any]) -> None:
    """Ends Pulumi as Ctrl-C does: it lets go of what it waits for, and writes all of it down.

    One that does not end then is killed.
    """
    for _ in range(2):  # the second time it is to end at once
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=_SECONDS_TO_FINISH)
        except subprocess.TimeoutExpired:
            continue
        return
    process.kill()
    process.wait()
