"""Runs the `pulumi` command for a project, with the environment its own tool chain sets up."""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from ops.failure import ExitCode, Failure


class Pulumi:
    """The `pulumi` command, for one project and one stack."""

    def __init__(self, project: Path, stack: str | None) -> None:
        """Remembers where and on what to run.

        Args:
            project: Folder with Pulumi.yaml.
            stack: The stack's name; None: the selected one.
        """
        self.project, self.stack = project, stack
        if not (project / "Pulumi.yaml").exists():
            raise Failure(
                f"There is no Pulumi.yaml in {project}; run in the project's folder or name it "
                "with --project.",
                ExitCode.USAGE,
            )

    @cached_property
    def environment(self) -> dict[str, str]:
        """The caller's environment, completed as `make env` does."""
        environment = dict(os.environ)
        if not (self.project / "toolchain").is_dir():
            return environment
        stack = ["--stack", self.stack] if self.stack else []
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "toolchain", "env", *stack],
            cwd=self.project,
            capture_output=True,
            text=True,
            check=False,
            env={k: v for k, v in environment.items() if k != "PYTHONPATH"},
        )
        for line in done.stdout.splitlines() if done.returncode == 0 else ():
            words = shlex.split(line.removeprefix("export "))
            if line.startswith("export ") and len(words) == 1:
                key, _, value = words[0].partition("=")
                environment[key] = value
            elif line.startswith("unset "):
                environment.pop(line.removeprefix("unset "), None)
        return environment

    def run(
        self, *arguments: str, stdin: str | None = None, seconds: float = 900
    ) -> subprocess.CompletedProcess[str]:
        """Runs a subcommand quietly and returns what it printed, whatever its exit code.

        Args:
            *arguments: Subcommand and options; never a secret.
            stdin: What to write to it, e.g. a secret.
            seconds: How long it may take.
        """
        command = ["pulumi", *arguments, "--non-interactive", "--color", "never"]
        if self.stack:
            command += ["--stack", self.stack]
        try:
            return subprocess.run(  # noqa: S603
                command,
                cwd=self.project,
                env=self.environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=seconds,
                input=stdin or "",
            )
        except FileNotFoundError:
            raise Failure(
                'The command pulumi is not found; run `make install`, then eval "$(make env)".',
                ExitCode.UNREACHABLE,
            ) from None
        except subprocess.TimeoutExpired:
            raise Failure(
                f"`pulumi {arguments[0]}` did not finish within {seconds:.0f} s; run it by hand to "
                "see why.",
                ExitCode.UNREACHABLE,
            ) from None

    def text(self, *arguments: str, stdin: str | None = None, seconds: float = 900) -> str:
        """Runs a subcommand and returns its standard output.

        Raises:
            Failure: It failed; the sentence has Pulumi's own reason.
        """
        done = self.run(*arguments, stdin=stdin, seconds=seconds)
        if done.returncode:
            raise explain(arguments, done.stderr or done.stdout)
        return done.stdout

    def update(self, *targets: str) -> None:
        """Runs `pulumi up` for the resources of these names alone.

        Raises:
            Failure: It failed.
        """
        arguments = ["up", "--yes", "--skip-preview"]
        for target in targets:
            arguments += ["--target", f"**{target}"]
        self.text(*arguments, seconds=1200)


def explain(arguments: Sequence[str], message: str) -> Failure:
    """Returns what a failed `pulumi` command means, in one sentence."""
    command = " ".join(word for word in arguments[:2] if not word.startswith("-"))
    reasons = (
        ("no stack selected", "No stack is selected; choose one: pulumi stack select <name>."),
        ("no stack named", "There is no such stack; list them: pulumi stack ls."),
        (
            "incorrect passphrase",
            "The passphrase does not open this stack; restore it as it was when it was made.",
        ),
        (
            "passphrase must be set",
            'The stack\'s passphrase is unknown here; run eval "$(make env)" first.',
        ),
        (
            "currently locked",
            "Another update of this stack is running; wait for it, or, if it was cut off, run "
            "pulumi cancel.",
        ),
        (
            "PULUMI_ACCESS_TOKEN",
            'Pulumi is not logged in to a backend; run eval "$(make env)" or pulumi login first.',
        ),
    )
    for sign, sentence in reasons:
        if sign in message:
            return Failure(sentence, ExitCode.UNREACHABLE)
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error:")] or lines[-1:]
    reason = errors[0].removeprefix("error:").strip() if errors else "no reason given"
    return Failure(f"`pulumi {command}` failed: {reason[:300].rstrip('.')}; mend that, run again.")
