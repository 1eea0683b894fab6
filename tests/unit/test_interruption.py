"""How the program ends when Pulumi's Python host interrupts it."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.recording import ROOT

# As pulumi-language-python-exec runs a program: in a coroutine, which outlives its last line.
_HOST = """
import asyncio, atexit, pathlib, runpy, signal, sys
# A shell without job control has what it runs in the background ignore interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
async def closing():
    asyncio.get_running_loop()
async def run(path):
    try:
        runpy.run_path(path, run_name="__main__")
        atexit.register(pathlib.Path(sys.argv[2]).touch)
        if sys.argv[3] == "interrupted":
            print("waiting", flush=True)
            await asyncio.sleep(60)
    finally:
        await closing()
loop = asyncio.new_event_loop()
coroutine = run(sys.argv[1])
try:
    loop.run_until_complete(coroutine)
finally:
    loop.close()
"""
_PROGRAM = "from components.cluster.interruption import end_quietly\nend_quietly()\n"


def run(tmp_path: Path, program: str, how: str) -> tuple[int, str, bool]:
    path, cleaned = tmp_path / "program.py", tmp_path / "cleaned"
    path.write_text(program)
    with subprocess.Popen(
        [sys.executable, "-c", _HOST, path, cleaned, how],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as host:
        assert host.stdout
        assert host.stderr
        if how == "interrupted":
            assert host.stdout.readline() == "waiting\n"
            host.send_signal(signal.SIGINT)
        errors = host.stderr.read()
    return host.returncode, errors, cleaned.exists()


def test_an_interrupted_program_says_nothing_and_cleans_up(tmp_path: Path) -> None:
    assert run(tmp_path, _PROGRAM, "interrupted") == (128 + signal.SIGINT, "", True)


def test_a_program_that_ends_ends_well(tmp_path: Path) -> None:
    assert run(tmp_path, _PROGRAM, "finished") == (0, "", True)


def test_somebody_elses_handler_stays(tmp_path: Path) -> None:
    theirs = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    theirs += f"{_PROGRAM}assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN\n"
    assert run(tmp_path, theirs, "finished") == (0, "", True)


def test_the_project_is_such_a_program() -> None:
    assert "\nend_quietly()\n" in (ROOT / "__main__.py").read_text(encoding="utf-8")
