"""How a command of the toolchain ends: in one sentence, whatever stopped it."""

import argparse
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.interrupting import interrupted, is_gone
from toolchain import __main__


def said(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """What `make install` says where something of it ends so."""

    def fails(_: argparse.Namespace) -> None:
        raise error

    monkeypatch.setitem(__main__.COMMANDS, "install", fails)
    monkeypatch.setattr(sys, "argv", ["toolchain", "install"])
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert __main__.main() == 1
    return capsys.readouterr().err.strip()


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "make room there"),
        (errno.EACCES, "let your user read and write there"),
        (errno.EROFS, "let your user read and write there"),
        (errno.ENOTDIR, "mend that"),
    ],
)
def test_what_the_system_refuses_is_one_sentence_with_its_place(
    number: int,
    remedy: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sentence = said(OSError(number, os.strerror(number), "/cache/built"), monkeypatch, capsys)
    assert sentence.startswith(f"✗ {os.strerror(number)}: /cache/built; {remedy}")
    assert sentence.endswith("run the same command again.")
    assert "\n" not in sentence


def test_a_full_disk_is_said_also_where_python_knows_no_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sentence = said(OSError(errno.ENOSPC, "No space left on device"), monkeypatch, capsys)
    assert sentence.startswith("✗ No space left on device; make room there")


@pytest.mark.parametrize(("stack", "shown"), [("minikube", ""), ("full", " STACK=full")])
def test_what_is_to_be_run_again_names_its_stack(
    stack: str,
    shown: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(_: argparse.Namespace) -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(__main__.COMMANDS, "up", interrupted)
    monkeypatch.setattr(sys, "argv", ["toolchain", "--stack", stack, "up"])
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert __main__.main() == 130
    assert f"run `make up{shown}` again" in capsys.readouterr().err


def test_a_stack_file_is_read_alike_in_every_locale(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.here.yaml").write_text("config: {a: Grüße}\n", encoding="utf-8")
    program = (
        "import sys; from pathlib import Path; from toolchain import environment, paths\n"
        "from toolchain.document import Document\n"
        "paths.PROJECT = Path(sys.argv[1]); environment.variables('here')\n"
        "print(ascii(Document(paths.PROJECT / 'Pulumi.here.yaml').tree()))"
    )
    ascii_alone = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={**os.environ, **ascii_alone, "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "{'config': {'a': 'Gr\\xfc\\xdfe'}}\n", done.stderr


def test_a_user_without_a_home_is_told_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("XDG_CACHE_HOME", "PULUMI_HOME", "PULUMI_BACKEND_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", unknown)
    monkeypatch.setattr(sys, "argv", ["toolchain", "env"])
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert __main__.main() == 1
    assert "set HOME to a folder and run again." in capsys.readouterr().err


def test_what_a_terminal_cannot_show_ends_no_command() -> None:
    program = (
        "from console.encoding import print_what_can_be_shown; print_what_can_be_shown()\n"
        "import sys; print('▸ café'); print('✗ no', file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONIOENCODING": "iso-8859-1", "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode("iso-8859-1") == "? café\n"
    assert done.stderr == b"? no\n"


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_what_ends_a_command_ends_what_it_runs(sent: signal.Signals, tmp_path: Path) -> None:
    program = (
        "import signal, sys, threading, time; from pathlib import Path\n"
        "from toolchain import __main__, ui\n"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)  # not nohup's\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "folder = Path(sys.argv[1])\n"
        "def watch():\n"
        "    while not (ui._RUNNING and (folder / 'new').exists()): time.sleep(0.01)\n"
        "    (folder / 'new').rename(folder / 'began')\n"
        "def step(_):\n"
        "    threading.Thread(target=watch).start()\n"
        "    script = 'echo $$ > newer; mv newer new; exec sleep 600'\n"
        "    ui.run(['sh', '-c', script], log=folder / 'log', what='a step', cwd=folder)\n"
        "__main__.COMMANDS['install'] = step\n"
        "sys.argv[1:] = ['install']\n"
        "sys.exit(__main__.main())\n"
    )
    code, errors = interrupted(program, tmp_path, sent, "began")
    assert code == 130
    assert errors == "\n✗ Interrupted; run `make install` again to go on from here.\n"
    assert is_gone(tmp_path / "began")
