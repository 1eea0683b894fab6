"""A throw-away PostgreSQL server, and a stack on it whose jobs and pod commands run right here."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer

from components.postgres.backup_script import BACKUP_SCRIPT
from ops import database
from ops.commands import backups, restore
from ops.context import Target
from ops.jobs import Done, JobFailed, Script, Step
from ops.kube import Ran
from tests.ops.stacks import with_database
from tests.ports import free_port

SUPERUSER = "postgres"


def programs() -> Path | None:
    """Returns the folder with the server's programs, or None."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = shutil.which("initdb") or (str(installed[-1]) if installed else None)
    return Path(found).resolve().parent if found else None


class Server:
    """A server in a temporary folder; PostgreSQL refuses to run as root."""

    def __init__(self, bin_folder: Path) -> None:
        self._bin = bin_folder
        self._user = "postgres" if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="todo-restore-"))
        if self._user:
            shutil.chown(self._folder, self._user)
        self.port = free_port()
        data = str(self._folder / "data")
        self._run("initdb", "-D", data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-sync")
        self._start()

    def _start(self) -> None:
        data = str(self._folder / "data")
        options = f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        start = ("pg_ctl", "start", "-D", data, "-s", "-w", "-t", "600")
        self._run(*start, "-o", options, "-l", f"{data}/log")

    def restart(self) -> None:
        """Stops it and starts it again, as it needs for some settings."""
        self._run("pg_ctl", "stop", "-D", str(self._folder / "data"), "-s", "-m", "fast")
        self._start()

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._bin / program, *arguments],
            check=True,
            user=self._user,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )

    def close(self) -> None:
        data = str(self._folder / "data")
        self._run("pg_ctl", "stop", "-D", data, "-s", "-m", "immediate")
        shutil.rmtree(self._folder)

    def encrypt(self, certificate: Path, key: Path, *, role: str) -> None:
        """Has a certificate from now on, and wants a password over TLS of one role."""
        data = self._folder / "data"
        for file, name in ((certificate, "server.crt"), (key, "server.key")):
            shutil.copy(file, data / name)
            shutil.chown(data / name, self._user or os.geteuid())
            (data / name).chmod(0o600)
        rules = data / "pg_hba.conf"
        rules.write_text(f"hostssl all {role} all scram-sha-256\n{rules.read_text()}")
        self.sql("ALTER SYSTEM SET ssl = on")
        self.sql("SELECT pg_reload_conf()")
        # Who connects from now on; those before may still be without.
        until(lambda: self.sql("SHOW ssl") == "on")

    def environment(self, user: str = SUPERUSER) -> dict[str, str]:
        return {
            "PATH": f"{self._bin}:{os.environ['PATH']}",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": user,
            "TMPDIR": tempfile.gettempdir(),
        }

    def sql(self, statements: str, name: str = "postgres", user: str = SUPERUSER) -> str:
        done = subprocess.run(
            ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", name],
            input=statements,
            env=self.environment(user),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def databases(self) -> set[str]:
        query = "SELECT datname FROM pg_database WHERE NOT datistemplate"
        return {*self.sql(query).split()} - {"postgres"}


class Deployed:
    """A stack whose database is on the scratch server, and whose backups are in a folder."""

    def __init__(
        self, server: Server, folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.server, self.name, self.user, self.free = server, name, "app", 1 << 40
        self.backups = folder / "backups"
        self.backups.mkdir()
        self._password = folder / "password"
        self._password.write_text("unused")
        self.jobs: list[str] = []
        self.to = Target(folder, None)
        self.notes: dict[str, str] = {}
        cluster = SimpleNamespace(run=self._in_pod, patch=self._patch)
        stack = with_database(name=name, user=self.user)
        vars(self.to).update(stack=stack, cluster=cluster)
        self._context = cast("typer.Context", SimpleNamespace(obj=self.to))
        container = {"command": ["/bin/sh", "-c", BACKUP_SCRIPT]}
        self.cron_job: Any = {
            "metadata": {"name": "postgres-backup"},
            "spec": {
                "schedule": "17 3 * * *",
                "jobTemplate": {"spec": {"template": {"spec": {"containers": [container]}}}},
            },
        }
        monkeypatch.setattr(database, "disk", lambda *_: (1 << 40, self.free))
        monkeypatch.setattr(database, "require_ready", lambda *_: None)
        monkeypatch.setattr("time.sleep", lambda _: None)
        for module in (backups, restore):
            monkeypatch.setattr(module, "backup_cron_job", lambda *_: self.cron_job)
            monkeypatch.setattr(module, "run_job", self._job)
        monkeypatch.setattr(restore, "Writers", lambda *_: SimpleNamespace(stop=_no, start=_no))

    def environment(self, **more: str) -> dict[str, str]:
        return {
            **self.server.environment(self.user),
            "PGDATABASE": self.name,
            "PASSWORD_FILE": str(self._password),
            "KEEP": "3",
            **more,
        }

    def command(self, script: str) -> list[str]:
        return ["/bin/sh", "-c", script.replace("/backups", str(self.backups))]

    def run(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(script),
            env=self.environment(**environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=600,
        )

    def dump(self) -> str:
        """Backs up, and returns the name of the file."""
        done = self.run(BACKUP_SCRIPT)
        assert done.returncode == 0, done.stdout
        return max(path.name for path in self.backups.glob(f"{self.name}-*.dump"))

    def restore(self, **options: Any) -> None:
        restore.restore(self._context, yes=True, **options)

    def drill(self, **options: Any) -> None:
        backups.restore_drill(self._context, **options)

    def list(self, *, json: bool = False) -> None:
        backups.backups(self._context, json=json)

    def sql(self, statements: str) -> str:
        return self.server.sql(statements, self.name, self.user)

    def oid(self) -> str:
        return self.sql("SELECT oid FROM pg_database WHERE datname = current_database()")

    def _job(
        self,
        cluster: object,
        cron_job: object,
        purpose: str,
        steps: Sequence[Step] | None = None,
    ) -> Done:
        self.jobs.append(purpose)
        (step,) = steps or [Script(BACKUP_SCRIPT)]
        assert isinstance(step, Script), "a stack with a volume has no store"
        script, given = step.text, dict(step.environment)
        if "BACKUP" in given:
            given["BACKUP"] = self.command(given["BACKUP"])[-1]
        done = self.run(script, **given)
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        if done.returncode:
            raise JobFailed(f"The job {purpose} failed: {lines[-1] if lines else ''}", lines)
        return Done(lines, 0.1)

    def _patch(self, kind: str, name: str, body: Any) -> None:
        assert (kind, name) == ("CronJob", "postgres-backup")
        self.notes |= body["metadata"]["annotations"]

    def _in_pod(self, pod: str, container: str, command: Sequence[str], stdin: str = "") -> Ran:
        done = subprocess.run(
            command,
            input=stdin,
            env=self.server.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)


def _no() -> None:
    """The backend is not there."""


def until(condition: Callable[[], bool]) -> None:
    """Waits for a condition."""
    for _ in range(1200):
        if condition():
            return
        subprocess.run(["sleep", "0.05"], check=True)
    raise AssertionError("it did not come to that")
