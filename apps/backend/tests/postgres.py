"""A real PostgreSQL for the tests: the one in TEST_DATABASE_URL, or a throw-away server."""

import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import Any

import psycopg
from psycopg import conninfo, sql


def _program(name: str) -> str | None:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return shutil.which(name) or (str(installed[0]) if installed else None)


def unprivileged() -> str | None:
    """Returns whom to run as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def free_port() -> int:
    """Returns a port that nobody has, and that nobody gets by chance before a server has it.

    Linux gives clients, and who asks for no port in particular, those from 32768 on.
    """
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class External:
    """A server somebody else runs; it cannot be stopped."""

    def __init__(self, url: str) -> None:
        self.parameters: dict[str, Any] = conninfo.conninfo_to_dict(url)

    def connect(self, database: str | None = None) -> psycopg.Connection:
        """Opens an administrative connection."""
        parameters = self.parameters | ({"dbname": database} if database else {})
        return psycopg.connect(**parameters, autocommit=True)

    def create_database(self) -> str:
        """Creates an empty database and returns its name."""
        name = f"todo_test_{uuid.uuid4().hex[:12]}"
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name

    def drop_database(self, name: str) -> None:
        """Drops a database, whoever is connected."""
        with self.connect() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def close(self) -> None:
        """Leaves the server as it is."""


class Throwaway(External):
    """A server of our own in a temporary directory."""

    def __init__(self, initdb: str, postgres: str) -> None:
        self._postgres = postgres
        self._user = unprivileged()
        self._folder = Path(tempfile.mkdtemp(prefix="todo-postgres-"))
        if self._user:
            shutil.chown(self._folder, self._user)
        self._data = self._folder / "data"
        subprocess.run(
            [initdb, "-D", self._data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            capture_output=True,
            user=self._user,
            cwd=self._folder,
        )
        port = free_port()
        super().__init__(f"host=127.0.0.1 port={port} user=tester dbname=postgres password=unused")
        self.start()

    def _control(self, action: str, *options: str) -> None:
        control = str(Path(os.path.realpath(self._postgres)).with_name("pg_ctl"))
        subprocess.run(
            [control, action, "-D", self._data, "-s", "-w", "-t", "600", *options],
            check=True,
            user=self._user,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        port = self.parameters["port"]
        options = f"-p {port} -k {self._folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._control("start", "-o", options, "-l", str(self._folder / "log"))

    def stop(self, mode: str = "fast") -> None:
        """Stops the server; mode "immediate" is a crash."""
        self._control("stop", "-m", mode)

    def require_tls(self, certificate: Path, key: Path) -> None:
        """Restarts with TLS, without which nobody gets in but by password over the network."""
        for source, name in ((certificate, "server.crt"), (key, "server.key")):
            shutil.copy2(source, self._data / name)
            if self._user:
                shutil.chown(self._data / name, self._user)
            (self._data / name).chmod(0o600)
        with self.connect() as admin:
            admin.execute("ALTER USER tester PASSWORD 'password of the tests'")
            admin.execute("ALTER SYSTEM SET ssl = on")
        (self._data / "pg_hba.conf").write_text("hostssl all all all scram-sha-256\n")
        self.parameters["password"] = "password of the tests"
        self.stop()
        self.start()

    def freeze(self, frozen: bool) -> None:
        """Suspends or resumes every process of the server, as a stuck machine would."""
        main = int((self._data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        for process in [main, *map(int, children)]:
            os.kill(process, signal.SIGSTOP if frozen else signal.SIGCONT)

    def close(self) -> None:
        """Stops the server and removes its files."""
        self.stop("immediate")
        shutil.rmtree(self._folder)


def obtain() -> External | None:
    """Returns a server, or None when there is no way to have one."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        return External(url)
    return throwaway()


def throwaway() -> Throwaway | None:
    """Returns a new server of our own, or None when PostgreSQL is not installed."""
    initdb, postgres = _program("initdb"), _program("postgres")
    return Throwaway(initdb, postgres) if initdb and postgres else None
