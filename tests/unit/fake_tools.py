"""Stand-ins for command-line tools: programs on PATH that answer as recorded, and note calls."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

RECORDED = Path(__file__).parent / "recorded"
_NOTED = ("DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_HOST", "KUBECONFIG", "SSH_AUTH_SOCK")
"""Variables that a call's environment is asked for."""
_END, _BETWEEN = "\x1e", "\x1f"
# A shell starts in a millisecond, and the tests make some thousand calls.
_PROGRAM = """#!/bin/sh
call="${{0##*/}}"
for word in "$@"; do call="$call $word"; done
printf '%s\\037' "$call" {noted} >> {folder}/calls
printf '\\036' >> {folder}/calls
read -r state < {folder}/state
case "$state $call " in
{cases}
esac
printf '%s\\n' "$call" >> {folder}/unanswered
echo "no answer for: $call" >&2
exit 1
"""


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
        (folder / "state").write_text("\n")
        monkeypatch.setenv("PATH", str(self.path))

    def install(self, *names: str) -> None:
        """Make tools findable; they have no answer yet."""
        for name in names:
            self._write(name)

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

        Of several, the one for the longest beginning counts, and of those the one added last.

        Args:
            call: The beginning of the command line.
            text: Standard output.
            code: Exit code.
            errors: Standard error.
            when: Only in this state.
            becomes: The state after it.
            writes: What the call writes into the files that variables name.
        """
        answer = {"text": text, "code": code, "errors": errors, "when": when, "becomes": becomes}
        self._table.append({"call": call, "writes": writes or {}, **answer})
        self._write(call.split()[0])

    def _write(self, name: str) -> None:
        noted = " ".join(f'"${{{it}+{it}=${it}}}"' for it in _NOTED)
        folder = shlex.quote(str(self._folder))
        own = [it for it in self._table if it["call"].split()[0] == name]
        order = sorted(enumerate(own), key=lambda it: (len(it[1]["call"]), it[0]), reverse=True)
        cases = "\n".join(self._case(it) for _, it in order)
        program = self.path / name
        program.write_text(_PROGRAM.format(noted=noted, folder=folder, cases=cases))
        program.chmod(0o755)

    def _case(self, answer: dict[str, Any]) -> str:
        state = "*" if answer["when"] is None else shlex.quote(answer["when"])
        lines = [f"{state}' '{shlex.quote(answer['call'])}' '*)"]
        if answer["becomes"] is not None:
            file = shlex.quote(str(self._folder / "state"))
            lines.append(f"echo {shlex.quote(answer['becomes'])} > {file}")
        for variable, text in answer["writes"].items():
            lines.append(f'printf %s {shlex.quote(text)} > "${variable}"')
        lines.append(f"printf %s {shlex.quote(answer['text'])}")
        lines.append(f"printf %s {shlex.quote(answer['errors'])} >&2")
        lines.append(f"exit {answer['code']};;")
        return "\n".join(lines)

    @property
    def calls(self) -> list[Call]:
        """What was asked, in its order."""
        log = self._folder / "calls"
        fields = (
            [it.split(_BETWEEN) for it in log.read_text().split(_END)[:-1]] if log.exists() else []
        )
        return [Call(it[0], dict(part.split("=", 1) for part in it[1:] if part)) for it in fields]

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
