"""A real PostgreSQL server in a temporary folder, made as the image makes it."""

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ops.kube import Ran
from tests.ports import free_port

PASSWORD = "password-of-the-test-server"


def _program(name: str) -> str | None:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return str(installed[0]) if installed else shutil.which(name)


AVAILABLE = _program("initdb") is not None


class Server:
    """A running server."""

    def __init__(self, folder: Path, port: int, restart: Callable[[], None]) -> None:
        self.restart = restart
        binaries = str(Path(_program("initdb") or "initdb").parent)
        self.environment = {
            "PATH": f"{binaries}:{os.environ['PATH']}",
            "PGHOST": str(folder),
            "PGPORT": str(port),
        }

    def sql(self, statements: str, *, user: str, database: str = "postgres") -> str:
        done = self.run("", "", ["psql", "-XAtq", "-U", user, "-d", database, "-c", statements])
        assert done.code == 0, done.err
        return done.out.strip()

    def accepts(self, user: str, password: str, database: str) -> bool:
        """Whether somebody gets in over the network."""
        command = ["psql", "-XAtqw", "-U", user, "-d", database, "-c", "SELECT 1"]
        environment = self.environment | {"PGHOST": "127.0.0.1", "PGPASSWORD": password}
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        return done.returncode == 0

    def wait_until_full(self, user: str) -> None:
        """Returns when nobody else of a role gets in."""
        for _ in range(600):
            command = ["psql", "-XAtq", "-U", user, "-d", "postgres", "-c", "SELECT 1"]
            if self.run("", "", command).code:
                return
            time.sleep(0.1)
        raise AssertionError("there is still room")

    def run(self, _pod: str, _container: str, command: list[str], stdin: str | None = None) -> Ran:
        """Runs a command next to the server, as Cluster.run does in the pod."""
        done = subprocess.run(
            command,
            env=self.environment,
            input=stdin or "",
            capture_output=True,
            text=True,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)


_USER = (
    "postgres"
    if os.geteuid() == 0 and "postgres" in {it.pw_name for it in pwd.getpwall()}
    else None
)
"""Whom the programs run as: PostgreSQL refuses to run as root."""
_OPTIONS: dict[str, Any] = {"user": _USER, "check": True, "stdout": subprocess.DEVNULL}


def _folder(prefix: str) -> TemporaryDirectory[str]:
    made = TemporaryDirectory(prefix=prefix)
    if _USER:
        shutil.chown(made.name, _USER)
    return made


@cache
def _volume(superuser: str) -> TemporaryDirectory[str]:
    """A new volume, made once: a server gets a copy of it, which takes a tenth of the time."""
    made = _folder("todo-volume-")
    password = Path(made.name, "password")
    password.write_text(PASSWORD)
    if _USER:
        shutil.chown(password, _USER)
    words: list[str | Path] = [_program("initdb") or "initdb", "-D", Path(made.name, "data")]
    words += ["-U", superuser, "--pwfile", password, "--auth-local=trust"]
    words += ["--auth-host=scram-sha-256", "-E", "UTF8", "--no-sync", "--wal-segsize=1"]
    subprocess.run(words, cwd=made.name, **_OPTIONS)
    return made


@contextmanager
def server(superuser: str) -> Generator[Server]:
    """Runs a server whose first role has this name and the password."""
    with _folder("todo-roles-") as name:
        folder = Path(name)
        port = free_port()
        data = folder / "data"
        subprocess.run(["cp", "-a", Path(_volume(superuser).name, "data"), data], **_OPTIONS)
        control = _program("pg_ctl") or "pg_ctl"
        started = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        at: list[str | Path] = ["-D", data, "-s", "-w", "-t", "600"]
        begin = [control, "start", *at, "-o", started, "-l", folder / "log"]
        subprocess.run(begin, cwd=folder, **_OPTIONS)

        def restart() -> None:
            again = [control, "restart", *at, "-m", "fast"]
            subprocess.run(again, cwd=folder, **_OPTIONS)

        try:
            yield Server(folder, port, restart)
        finally:
            end = [control, "stop", *at, "-m", "immediate"]
            subprocess.run(end, cwd=folder, **_OPTIONS)
