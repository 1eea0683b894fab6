"""Stand-ins for command-line tools: programs on PATH that answer as recorded, and note calls."""

import ast
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

RECORDED = Path(__file__).parent / "recorded"
# Nothing is imported that Python has not imported anyway: the tests make some thousand calls.
_PROGRAM = '''#!{python} -IS
"""Answers by the longest beginning that fits, in this state; of several by the one added last."""
import os, sys

folder = {folder!r}
call = " ".join([os.path.basename(sys.argv[0]), *sys.argv[1:]])
with open(folder + "/calls", "a") as log:
    log.write(repr((call, dict(os.environ))) + "\\n")
with open(folder + "/state") as file:
    state = file.read()
with open(folder + "/table") as file:
    table = eval(file.read())
now = [it for it in table if it["when"] in (None, state)]
fitting = [it for it in now if (call + " ").startswith(it["call"] + " ")]
if not fitting:
    with open(folder + "/unanswered", "a") as log:
        log.write(call + "\\n")
    sys.exit("no answer for: " + call)
answer = max(enumerate(fitting), key=lambda it: (len(it[1]["call"]), it[0]))[1]
if answer["becomes"] is not None:
    with open(folder + "/state", "w") as file:
        file.write(answer["becomes"])
for name, text in answer["writes"].items():
    with open(os.environ.get(name, name), "w") as file:
        file.write(text)
sys.stdout.write(answer["text"])
sys.stderr.write(answer["errors"])
sys.exit(answer["code"])
'''


def recorded(name: str) -> str:
    """A tool's output, shortened, from ``tests/unit/recorded``: ``<tool>/<version>-<case>.txt``."""
    return (RECORDED / name).read_text()


@dataclass(frozen=True)
class Call:
    """One call of a tool."""

    text: str
    environment: dict[str, str]


class Tools:
    """The tools of a machine that has no others."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Puts the folder of the tools in the place of PATH; nothing is installed yet."""
        self.path = folder / "path"
        self.path.mkdir()
        self._folder = folder
        self._table: list[dict[str, Any]] = []
        (folder / "state").write_text("")
        (folder / "table").write_text("[]")
        monkeypatch.setenv("PATH", str(self.path))

    def install(self, *names: str) -> None:
        """Make tools findable; they have no answer yet."""
        for name in names:
            program = self.path / name
            program.write_text(_PROGRAM.format(python=sys.executable, folder=str(self._folder)))
            program.chmod(0o755)

    def answer(
        self,
        call: str,
        text: str = "",
        *,
        code: int = 0,
        errors: str = "",
        when: str | None = None,
        becomes: str | None = None,
        writes: dict[str, str] | None = None,
    ) -> None:
        """Answer calls that begin like this; installs the tool.

        Args:
            call: The beginning of the command line.
            text: Standard output.
            code: Exit code.
            errors: Standard error.
            when: Only in this state.
            becomes: The state after it.
            writes: Files that the call writes, by path or by the variable that holds it.
        """
        self.install(call.split()[0])
        self._table.append(
            {
                "call": call,
                "text": text,
                "code": code,
                "errors": errors,
                "when": when,
                "becomes": becomes,
                "writes": writes or {},
            }
        )
        (self._folder / "table").write_text(repr(self._table))

    @property
    def calls(self) -> list[Call]:
        """What was asked, in its order."""
        log = self._folder / "calls"
        lines = log.read_text().splitlines() if log.exists() else []
        return [Call(*ast.literal_eval(line)) for line in lines]

    @property
    def asked(self) -> list[str]:
        """The command lines of `calls`."""
        return [it.text for it in self.calls]

    def forget(self) -> None:
        """Count calls anew."""
        (self._folder / "calls").unlink(missing_ok=True)

    def of(self, beginning: str) -> list[Call]:
        """The calls that begin like this."""
        return [it for it in self.calls if it.text.startswith(beginning)]

    @property
    def unanswered(self) -> list[str]:
        """Calls that the test did not expect."""
        file = self._folder / "unanswered"
        return file.read_text().splitlines() if file.exists() else []


def clean_environment(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Nobody has chosen anything, and everything of the person's is in a home of its own."""
    chosen = ("DOCKER_", "KUBECONFIG", "MINIKUBE_", "KIND_", "BUILDX_")
    for name in list(os.environ):
        if name.startswith(chosen):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
