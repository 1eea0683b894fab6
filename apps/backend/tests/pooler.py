"""A real PgBouncer in transaction mode in front of the test server."""

import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from .postgres import External, free_port, unprivileged

POOL_SIZE = 2


class PgBouncer:
    """Shares few server connections among many clients, a transaction at a time."""

    def __init__(self, program: str, server: External) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="todo-pgbouncer-"))
        self.port = free_port()
        user, password = server.parameters["user"], server.parameters.get("password", "")
        users = self._folder / "users.txt"
        users.write_text(f'"{user}" "{password}"\n')
        configuration = self._folder / "pgbouncer.ini"
        configuration.write_text(
            "[databases]\n"
            f"* = host={server.parameters['host']} port={server.parameters.get('port', 5432)}\n"
            "[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"auth_type = trust\nauth_file = {users}\n"
            f"pool_mode = transaction\ndefault_pool_size = {POOL_SIZE}\n"
        )
        owner = unprivileged()  # it refuses to run as root too
        if owner:
            for path in (self._folder, users, configuration):
                shutil.chown(path, owner)
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [program, str(configuration)], user=owner, stdout=log, stderr=log, cwd=self._folder
            )

    def answers(self) -> bool:
        """Tells whether it accepts connections."""
        assert self._process.poll() is None, (self._folder / "log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def close(self) -> None:
        """Stops it and removes its files."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder)


def program() -> str | None:
    """Returns where PgBouncer is installed; Debian puts it outside a user's PATH."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
