"""A release that is told to end lets Pulumi finish; `pulumi` is stood in for."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from ops import pulumi_command
from ops.pulumi_stack import PulumiStack
from ops.release import pulumi_run
from ops.release.rollout import Rollout
from tests.unit.interrupting import interrupted

SLOW = """#!/bin/sh
echo "$1" >> "{folder}/calls"
trap '' TERM HUP INT
sleep 0.2
touch "{folder}/began"
sleep 0.5
touch "{folder}/finished"
"""


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PulumiStack:
    program = tmp_path / "pulumi"
    program.write_text(SLOW.format(folder=tmp_path))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return cast("PulumiStack", SimpleNamespace(name="dev", project=tmp_path))


def watching(obstacle: Callable[[], str | None], unable: str | None = None) -> Rollout:
    return cast("Rollout", SimpleNamespace(obstacle=obstacle, unable=lambda: unable))


@pytest.mark.parametrize(
    ("unable", "end"), [("pod a: no image", "printed above; pod a: no image"), (None, "above")]
)
def test_where_pulumi_gives_up_first_the_pod_still_says_why(
    unable: str | None, end: str, pulumi: PulumiStack, tmp_path: Path
) -> None:
    (tmp_path / "pulumi").write_text("#!/bin/sh\nexit 1\n")
    said = pulumi_run.update(pulumi, rollout=watching(lambda: None, unable))
    assert said is not None
    assert said.endswith(end)


def test_an_update_that_is_ended_early_is_written_down(
    pulumi: PulumiStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def obstacle() -> str | None:
        return "no image" if (tmp_path / "began").exists() else None

    monkeypatch.setattr(pulumi_run, "_SECONDS_BETWEEN_LOOKS", 0.05)
    assert pulumi_run.update(pulumi, rollout=watching(obstacle)) == "no image"
    assert (tmp_path / "calls").read_text().split() == ["up", "refresh"]


def test_ctrl_c_while_the_pods_are_looked_at_waits_for_pulumi(
    pulumi: PulumiStack, tmp_path: Path
) -> None:
    def obstacle() -> str | None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pulumi_run.update(pulumi, rollout=watching(obstacle))
    assert (tmp_path / "finished").exists()
    # Or what it waited for would be in the cluster, and Pulumi would not know.
    assert (tmp_path / "calls").read_text().split() == ["up", "refresh"]


def test_an_interrupted_pulumi_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi_command, "_SECONDS_TO_FINISH", 0.1)
    with subprocess.Popen(
        ["sh", "-c", "trap '' INT; echo; exec sleep 600"], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        pulumi_command.interrupt(process)
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_is_told_to_end_waits_for_pulumi(
    sent: signal.Signals, pulumi: PulumiStack, tmp_path: Path
) -> None:
    del pulumi
    program = (
        "import signal, sys; from pathlib import Path; from types import SimpleNamespace\n"
        "from ops import __main__, command_line; from ops.release import pulumi_run\n"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)  # not nohup's\n"
        "stack = SimpleNamespace(name='dev', project=Path(sys.argv[1]))\n"
        "command_line.app = lambda: pulumi_run.update(stack, rollout=None)\n"
        "__main__.main()\n"
    )
    code, _ = interrupted(program, tmp_path, sent, "began")
    assert code == 130
    assert (tmp_path / "finished").exists()


def test_ctrl_c_while_a_command_is_still_read_in_is_one_sentence(tmp_path: Path) -> None:
    # Of all that a command reads in, one module takes its time.
    program = (
        "import signal, sys, time; from pathlib import Path; from ops import __main__\n"
        "class Slow:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'ops.command_line':\n"
        "            Path(sys.argv[1], 'began').touch(); time.sleep(600)\n"
        "sys.meta_path.insert(0, Slow())\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "__main__.main()\n"
    )
    code, errors = interrupted(program, tmp_path, signal.SIGINT, "began")
    assert (code, errors) == (130, "Interrupted before anything was done; run this again.\n")
