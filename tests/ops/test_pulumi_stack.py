"""Pulumi through its Automation API: what its failures mean, and that secrets stay secret."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from console.failure import ExitCode, Failure
from ops.pulumi_stack import PulumiStack
from tests.ops.scratch_server import until

PROJECT = Path(__file__).parents[2]

# Without what is installed Python starts in half the time.
PULUMI = (
    f"#!{sys.executable} -ISB\n"
    + """\
import json, os, pathlib, sys
folder = pathlib.Path(__file__).parent
arguments = [a for a in sys.argv[1:] if a != "--non-interactive"]
if arguments == ["version"]:
    sys.exit(print((folder / "version").read_text()))
if (folder / "slow").exists():
    import signal, time
    def finish(*_):
        print("finishing", flush=True)
        time.sleep(0.5)
        print("finished", file=sys.stderr, flush=True)
        (folder / "finished").touch()
        sys.exit(1)
    signal.signal(signal.SIGINT, finish)
    (folder / "started").touch()
    time.sleep(60)
with open(folder / "calls", "a") as calls:
    calls.write(json.dumps([arguments, sys.stdin.read() if "set" in arguments else ""]) + "\\n")
sys.stderr.write((folder / "stderr").read_text())
print((folder / "stdout").read_text())
sys.exit(bool((folder / "stderr").read_text()))
"""
)


class Fake:
    """A stand-in for the command `pulumi`, and a project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answer("{}")
        self.version("v3.259.0")
        (folder / "Pulumi.yaml").write_text("name: todo\nruntime: python\n")
        program = folder / "pulumi"
        program.write_text(PULUMI)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    def answer(self, stdout: str, stderr: str = "") -> None:
        (self.folder / "stdout").write_text(stdout)
        (self.folder / "stderr").write_text(stderr)

    def version(self, text: str) -> None:
        (self.folder / "version").write_text(text)

    def calls(self) -> list[tuple[list[str], str]]:
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]

    def stack(self, name: str | None = "dev") -> PulumiStack:
        return PulumiStack(self.folder, name)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return Fake(tmp_path)


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("error: no stack named 'dev' found", "pulumi stack ls"),
        ("error: the stack is currently locked by 1 lock(s)", "Another update"),
        ("error: [409] Conflict: Another update is currently in progress.", "Another update"),
        ("error: incorrect passphrase", "does not open this stack"),
        ("error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE", "is unknown here"),
        ("error: PULUMI_ACCESS_TOKEN must be set for login", "not logged in"),
    ],
)
def test_pulumis_failures_become_sentences(fake: Fake, message: str, sentence: str) -> None:
    fake.answer("", message)
    for call in (fake.stack().outputs, lambda: fake.stack().config("todo:jwtKey")):
        with pytest.raises(Failure, match=sentence) as failure:
            call()
        assert failure.value.code == ExitCode.UNREACHABLE


def test_another_failure_keeps_its_reason(fake: Fake) -> None:
    fake.answer("noise", "warning: odd\nerror: disk full\nmore")
    with pytest.raises(Failure, match="`pulumi up` failed: disk full; correct that"):
        fake.stack().up(["urn"])


def test_what_a_program_failed_with_is_told_before_that_it_failed(fake: Fake) -> None:
    fake.answer("  kubernetes:apps/v1:Deployment:\n    error: quota", "error: update failed")
    with pytest.raises(Failure, match="quota"):
        fake.stack().up(["urn"])


def test_a_new_secret_is_on_no_command_line(fake: Fake) -> None:
    fake.stack().set_secret("todo:jwtKey", "hunter2")
    ((arguments, given),) = fake.calls()
    assert arguments[:4] == ["config", "set", "--secret", "todo:jwtKey"]
    assert "hunter2" not in arguments
    assert given == "hunter2"


def test_a_secret_that_pulumi_refuses_is_not_told(fake: Fake) -> None:
    fake.answer("", "error: disk full")
    with pytest.raises(Failure, match="`pulumi config set` failed: disk full") as failure:
        fake.stack().set_secret("todo:jwtKey", "hunter2")
    assert "hunter2" not in str(failure.value)


def test_what_is_not_configured_is_nothing(fake: Fake) -> None:
    fake.answer("", "error: configuration key 'jwtNextKey' not found for stack 'dev'")
    assert fake.stack().config("todo:jwtNextKey") is None


def test_no_secret_is_decrypted_to_read_outputs_and_state(fake: Fake) -> None:
    stack = fake.stack()
    stack.outputs()
    stack.export()
    assert [arguments for arguments, _ in fake.calls()] == [
        ["stack", "output", "--json", "--stack", "dev"],
        ["stack", "export", "--stack", "dev"],
    ]


def test_the_selected_stack_is_taken_and_none_is_selected(fake: Fake) -> None:
    fake.answer('[{"name": "dev", "current": true}, {"name": "prod", "current": false}]')
    exported: Any = fake.stack(None).export()
    assert exported[0]["name"] == "dev"
    assert fake.calls()[-1][0] == ["stack", "export", "--stack", "dev"]
    assert not any("select" in arguments for arguments, _ in fake.calls())


def test_without_a_selected_stack_it_says_how_to_select_one(fake: Fake) -> None:
    fake.answer("[]")
    with pytest.raises(Failure, match="pulumi stack select"):
        fake.stack(None).outputs()


def test_without_pulumi_it_says_how_to_get_it(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(fake.folder / "nowhere"))
    with pytest.raises(Failure, match="make install"):
        fake.stack().outputs()


def test_a_pulumi_of_an_unfit_version_says_how_to_get_another(fake: Fake) -> None:
    fake.version("v2.1.0")
    with pytest.raises(Failure, match=r"unfit version .*2\.1\.0.*make install"):
        fake.stack().outputs()


def test_a_preview_that_ends_without_a_word_is_a_failure(fake: Fake) -> None:
    with pytest.raises(Failure, match="`pulumi preview` ended without a summary"):
        fake.stack().preview()


def test_values_go_into_a_file_like_the_stacks_own(fake: Fake, tmp_path: Path) -> None:
    fake.stack().set_in_file(tmp_path / "copy", {"todo:settings.images.pins.backend": "it:1"})
    [*_, (arguments, _)] = fake.calls()
    written = ["--plaintext", "todo:settings.images.pins.backend=it:1"]
    file = ["--config-file", str(tmp_path / "copy"), "--stack", "dev"]
    assert arguments == ["config", "set-all", "--path", *written, *file]


def test_an_update_that_does_not_end_is_interrupted(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = fake.stack()
    stack.outputs()
    (fake.folder / "slow").touch()
    communicate = subprocess.Popen[str].communicate

    def late(process: subprocess.Popen[str], told: str | None = None, timeout: float = 0) -> Any:
        if told is None:
            return communicate(process, timeout=timeout)
        until((fake.folder / "started").exists)
        raise subprocess.TimeoutExpired("pulumi", timeout)

    monkeypatch.setattr(subprocess.Popen, "communicate", late)
    with pytest.raises(Failure, match="`pulumi up` did not end within"):
        stack.up(["urn"])
    assert (fake.folder / "finished").exists()


@pytest.mark.parametrize("call", ["up(['urn'])", "set_secret('todo:jwtKey', 'x')"])
def test_an_interrupted_pulumi_is_left_time_to_finish(fake: Fake, call: str) -> None:
    (fake.folder / "slow").touch()
    program = (
        "import signal, sys; from pathlib import Path; from ops.pulumi_stack import PulumiStack\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"try: PulumiStack(Path(sys.argv[1]), 'dev').{call}\n"
        "except KeyboardInterrupt: sys.exit(130)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(fake.folder)],
        cwd=PROJECT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        until((fake.folder / "started").exists)
        os.killpg(running.pid, signal.SIGINT)
        _, said = running.communicate()
    assert (running.returncode, said) == (130, "")
    assert (fake.folder / "finished").exists()


def test_a_folder_without_a_project_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"There is no Pulumi\.yaml") as failure:
        PulumiStack(tmp_path, None)
    assert failure.value.code == ExitCode.USAGE
