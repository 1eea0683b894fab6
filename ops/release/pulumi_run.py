"""Pulumi as a person sees it: it writes to the terminal, and what it does can be ended early."""

import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from cluster_objects import preview
from cluster_objects.preview import Plan
from console.failure import Failure
from console.signals import wait_out
from ops.pulumi_command import interrupt
from ops.pulumi_stack import PulumiStack
from ops.release.interruption import take_over
from ops.release.rollout import Rollout
from ops.terminal import say

_SECONDS_BETWEEN_LOOKS = 2.0


def planned(pulumi: PulumiStack, *options: str, refresh: bool, rules: bool = True) -> Plan:
    """Runs `pulumi preview` and returns what an update would do.

    Args:
        pulumi: The stack.
        options: More of Pulumi's own.
        refresh: Look first at what is really there.
        rules: Whether the project's rules are held against it.

    Raises:
        Failure: A rule is broken, or the program is.
    """
    more = [*(_rules(pulumi.project) if rules else []), *(["--refresh"] if refresh else [])]
    with preview.reading() as (log, plan):
        command = ["preview", f"--event-log={log}", "--suppress-outputs", *more, *options]
        process = _begin(pulumi, *command, more=preview.ENVIRONMENT)
        with _left_to_finish(process):
            failed = process.wait()
        if failed:
            raise Failure(
                "`pulumi preview` did not find its way through; fix what it printed above and run "
                "this again; nothing was changed."
            )
    return plan.result()


def update(
    pulumi: PulumiStack, *options: str, rollout: Rollout | None, rules: bool = True
) -> str | None:
    """Runs `pulumi up`, and returns why it failed; None: it did not.

    What one that is ended early has changed by then gets into Pulumi's state all the same, if that
    is not interrupted too.

    Args:
        pulumi: The stack.
        options: More of Pulumi's own.
        rollout: The new pods, looked at every two seconds; none that gets ready is waited for no
            longer. None: nobody looks.
        rules: Whether the project's rules are held against it.

    Raises:
        KeyboardInterrupt: Somebody has ended it.
    """
    more = _rules(pulumi.project) if rules else []
    command = ["up", "--yes", "--skip-preview", "--suppress-outputs", *more, *options]
    process = _begin(pulumi, *command)
    try:
        with _left_to_finish(process):
            while process.poll() is None:
                if rollout and (reason := rollout.obstacle()):
                    interrupt(process)
                    _write_down(pulumi)
                    return reason
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_SECONDS_BETWEEN_LOOKS)
    except KeyboardInterrupt:
        _write_down(pulumi)
        raise
    if process.returncode == 0:
        return None
    # Pulumi may be the first to give up, and says of a pod less than the pod does.
    seen = rollout.unable() if rollout else None
    said = "`pulumi up` failed with what it printed above"
    return f"{said}; {seen}" if seen else said


def _write_down(pulumi: PulumiStack) -> None:
    """Brings the state to what is really there.

    What Pulumi waits for while it is interrupted is in the cluster, but not in the state: an update
    back to what there was before would find nothing to change.
    """
    say("Writing down what is deployed by now")
    with suppress(Failure):  # Pulumi says that it is locked
        take_over(pulumi)
    options = ["--yes", "--skip-preview", "--suppress-outputs", "--non-interactive"]
    process = _begin(pulumi, "refresh", *options)
    with _left_to_finish(process):
        process.wait()


def _rules(project: Path) -> list[str]:
    pack = project / "policy"
    return ["--policy-pack", pack.name] if (pack / "PulumiPolicy.yaml").exists() else []


def _begin(
    pulumi: PulumiStack, *arguments: str, more: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    stack = pulumi.name  # which also makes the project's environment this process's own
    return subprocess.Popen(  # noqa: S603 - no shell
        ["pulumi", *arguments, "--stack", stack],  # noqa: S607 - of the project's environment
        cwd=pulumi.project,
        env={**os.environ, **(more or {})},
    )


@contextmanager
def _left_to_finish(process: subprocess.Popen[bytes]) -> Generator[None]:
    """Waits for a process also where its block is interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        # The terminal has sent the signal to Pulumi too: let it finish its state.
        wait_out(process)
        raise
