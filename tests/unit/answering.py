"""Programs on PATH whose calls the test's own process answers.

A shell starts in a millisecond where Python takes fifty, and the tests make some thousand calls.
"""

import shlex
import socketserver
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

_PROGRAM = r"""#!/usr/bin/env bash
exec 3<>/dev/tcp/127.0.0.1/{port} || exit 99
printf '%s\0' "$#" "$PULUMI_BACKEND_URL" {name} "$@" >&3
IFS= read -r -d '' code <&3
IFS= read -r -d '' text <&3
IFS= read -r -d '' errors <&3
[ -z "$text" ] || printf '%s\n' "$text"
[ -z "$errors" ] || printf '%s\n' "$errors" >&2
exit "$code"
"""


@dataclass(frozen=True)
class Answer:
    """What a program prints, and its exit code."""

    text: str = ""
    errors: str = ""
    code: int = 0


def failed(message: str) -> Answer:
    """Returns the answer of a program that fails with one line."""
    return Answer(errors=message, code=1)


Answers = Callable[[str, list[str], str], Answer]
"""Answers a program's name, its arguments, and the value of PULUMI_BACKEND_URL."""


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, answers: Answers) -> None:
        super().__init__(("127.0.0.1", 0), _Call)
        self.answers = answers


class _Call(socketserver.StreamRequestHandler):
    def _word(self) -> str:
        found = bytearray()
        while (byte := self.rfile.read(1)) not in (b"\0", b""):
            found += byte
        return found.decode()

    def handle(self) -> None:
        count, backend, name = int(self._word()), self._word(), self._word()
        arguments = [self._word() for _ in range(count)]
        try:
            answer = cast("_Server", self.server).answers(name, arguments, backend)
        except Exception as error:
            # The test looks for this word in what a command says.
            answer = failed(f"Traceback of the stand-in: {error!r}")
        self.wfile.write(f"{answer.code}\0{answer.text}\0{answer.errors}\0".encode())


@contextmanager
def programs(folder: Path, names: tuple[str, ...], answers: Answers) -> Generator[None]:
    """Puts programs into a folder that answer as long as the context lasts."""
    with _Server(answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        for name in names:
            text = _PROGRAM.format(port=server.server_address[1], name=shlex.quote(name))
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
