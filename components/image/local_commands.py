"""Commands of this machine's Docker, and of the tools that keep local clusters."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi

_QUESTION_SECONDS = 30.0
"""How long a question may take; `docker image ls` takes some hundredths of a second."""
_WORK_SECONDS = 900.0
"""How long an image may take on its way; one of 300 MB takes some ten seconds a node."""


def docker(context: str | None, *arguments: str) -> list[str]:
    """Returns a command of the Docker CLI.

    Args:
        context: The Docker context to use, whatever DOCKER_HOST says; none: the selected one.
        arguments: What to do there.
    """
    return ["docker", *(["--context", context] if context else []), *arguments]


def answer_of(command: Sequence[str]) -> str | None:
    """Returns what a question prints; None where nobody answers: no such command, an error."""
    try:
        done = subprocess.run(  # noqa: S603 - built here, of validated settings
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_QUESTION_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if done.returncode else done.stdout


def work(
    command: Sequence[str],
    *,
    context: str | None = None,
    output: Path | None = None,
    variables: Mapping[str, str] | None = None,
    named: str | None = None,
) -> None:
    """Runs a command that changes something.

    Args:
        command: Program and arguments.
        context: The Docker context for what the program does with Docker itself.
        output: The file that is to have what it prints.
        variables: What is added to its environment: secrets, which no command line should have.
        named: What errors call it; none: the whole command.

    Raises:
        pulumi.RunError: It failed, is not there, or takes too long.
    """
    called = named or " ".join(command)
    try:
        with (output or Path(os.devnull)).open("wb") as printed:
            done = subprocess.run(  # noqa: S603 - as above
                command,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.PIPE,
                env={**_environment(context), **(variables or {})},
                check=False,
                timeout=_WORK_SECONDS,
            )
    except FileNotFoundError:
        raise pulumi.RunError(f"the command {command[0]} is not found: install it") from None
    except subprocess.TimeoutExpired:
        raise pulumi.RunError(f"`{called}` has not ended after {_WORK_SECONDS:.0f} s") from None
    except OSError as error:
        raise pulumi.RunError(f"`{called}` cannot run: {error}") from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").split("\n")
        words = " ".join([it for it in lines if it.strip()][-1:]).strip()
        # As kind and cosign begin the line with the reason.
        for beginning in ("ERROR: ", "Command Output: ", "error during command execution: "):
            words = words.removeprefix(beginning)
        raise pulumi.RunError(f"`{called}` failed: {words[:300] or f'exit code {done.returncode}'}")


def _environment(context: str | None) -> Mapping[str, str]:
    """Lets a tool that uses Docker by itself use the same daemon.

    DOCKER_HOST would win over DOCKER_CONTEXT; it is what the context `default` stands for
    (https://docs.docker.com/reference/cli/docker/#environment-variables).
    """
    if context is None:
        return os.environ
    left_out = () if context == "default" else ("DOCKER_HOST",)
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return {**kept, "DOCKER_CONTEXT": context}
