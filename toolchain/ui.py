"""What set-up prints: one line a step with its time, and one sentence when something fails."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from console.duration import duration
from console.failure import Failure
from console.process_groups import end_groups

STEPS: list[tuple[str, float]] = []
_RUNNING: set[subprocess.Popen[bytes]] = set()
"""The commands of `run` that have not ended."""
_ENDED = threading.Event()
"""Set where no command of `run` is to go on."""
_SECONDS_TO_TIDY_UP = 20
"""For a command that is ended: pip and mmdebstrap remove what they have unpacked."""


def say(text: str) -> None:
    """Prints one line at once, also when standard output is a pipe."""
    print(text, flush=True)


def line(title: str, text: str) -> None:
    """Prints a line of a list of what goes and what stays."""
    say(f"  {title:<10} {text}")


@contextmanager
def step(title: str) -> Generator[None]:
    """Announces a step, run the block, and remember its elapsed seconds for the closing table."""
    say(f"▸ {title}")
    begin = time.monotonic()
    yield
    STEPS.append((title, time.monotonic() - begin))


def summary() -> None:
    """Prints the elapsed time of each step."""
    width = max((len(title) for title, _ in STEPS), default=0)
    say("")
    for title, seconds in STEPS:
        say(f"  {title:<{width}}  {duration(seconds):>8}")
    say(f"  {'total':<{width}}  {duration(sum(s for _, s in STEPS)):>8}")


def run(
    command: Sequence[str | Path],
    *,
    log: Path,
    what: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    hint: str = "",
) -> None:
    """Runs a long command into a log file, with a sign of life every 20 seconds.

    Raises:
        Failure: The command failed; the sentence holds its last line and names the log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    done = threading.Event()

    def heartbeat() -> None:
        while not done.wait(20):
            say(f"  … {what}, {duration(time.monotonic() - begin)}")

    thread = threading.Thread(target=heartbeat, daemon=True)
    thread.start()
    try:
        with (
            log.open("ab") as sink,
            subprocess.Popen(
                [str(c) for c in command],
                stdout=sink,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=dict(env) if env is not None else None,
                cwd=cwd,
                # So that it can be ended with all that it starts.
                process_group=0,
            ) as process,
        ):
            try:
                _RUNNING.add(process)
                if _ENDED.is_set():
                    end_groups([process], _SECONDS_TO_TIDY_UP)
                code = process.wait()
            except BaseException:
                end_groups([process], _SECONDS_TO_TIDY_UP)
                raise
            finally:
                _RUNNING.discard(process)
    except FileNotFoundError:
        raise Failure(
            f"{what} needs `{command[0]}`, which is not installed; install it and run again."
        ) from None
    finally:
        done.set()
        thread.join()
    if code:
        lines = [s for s in log.read_text(errors="replace").splitlines() if s.strip()]
        last = lines[-1].strip() if lines else f"exit code {code}"
        raise Failure(
            f"{what} failed: {last[:300]} — {hint or 'run the same command again'} (log: {log})."
        )


def end_commands() -> None:
    """Ends the commands that `run` runs, and those that it begins; each of them has failed then."""
    _ENDED.set()
    end_groups([*_RUNNING], _SECONDS_TO_TIDY_UP)


def allow_commands() -> None:
    """Lets `run` run commands again."""
    _ENDED.clear()


def capture(command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> str | None:
    """Returns the standard output of a short command, or None when it is missing or fails."""
    try:
        done = subprocess.run(
            [str(c) for c in command],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=dict(env) if env is not None else None,
            check=False,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
