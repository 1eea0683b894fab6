"""A real S3 store for the tests: versitygw as a process of this machine, with TLS.

It is outside every cluster, and so outlives one.
"""

import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from distribution import recipes
from tests.certificates import authority, server_certificate
from tests.ports import free_port

BUCKET = "backups"
"""The bucket that there is."""


@dataclass
class ObjectStoreServer:
    """One store, what it needs to be asked, and what it has on disk."""

    folder: Path
    address: str
    """The address of this machine by which pods reach it."""
    port: int
    key_id: str = field(default_factory=lambda: uuid4().hex[:20])
    secret: str = field(default_factory=lambda: uuid4().hex)
    _rights: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    _process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Where it answers."""
        return f"https://{self.address}:{self.port}"

    @property
    def authority(self) -> str:
        """The certificate of who signed its own, as PEM."""
        return (self.folder / "authority.crt").read_text()

    @property
    def files(self) -> list[Path]:
        """The files of all objects in all buckets."""
        return [it for it in (self.folder / "buckets").rglob("*") if it.is_file()]

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        command = [
            *(str(_program()), "--port", f"{self.address}:{self.port}", "--quiet"),
            *("--access", self.key_id, "--secret", self.secret),
            *("--iam-dir", str(self.folder / "accounts")),
            *("--cert", str(self.folder / "server.crt"), "--key", str(self.folder / "server.key")),
            *("posix", str(self.folder / "buckets")),
        ]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        trusting = ssl.create_default_context(cadata=self.authority)
        for _ in range(600):
            try:
                with (
                    socket.create_connection((self.address, self.port), timeout=1) as plain,
                    trusting.wrap_socket(plain, server_hostname=self.address),
                ):
                    return
            except OSError:
                time.sleep(0.1)
        pytest.fail(f"the object store does not answer:\n{(self.folder / 'log').read_text()}")

    def stop(self) -> None:
        """Stops it; what it keeps stays on disk."""
        if self._process:
            self._process.terminate()
            self._process.wait(timeout=120)
            self._process = None

    def let(self, key_id: str, *actions: str) -> str:
        """Makes an account that may do some things with the bucket, and nothing else.

        Args:
            key_id: Its name.
            actions: What it may do, such as `s3:GetObject`.

        Returns:
            Its secret.
        """
        secret = uuid4().hex
        words = ["--access", key_id, "--secret", secret, "--role", "user"]
        root = ["--access", self.key_id, "--secret", self.secret, "--endpoint-url", self.endpoint]
        command = [str(_program()), "admin", *root, "--allow-insecure", "create-user", *words]
        subprocess.run(command, check=True, timeout=60, capture_output=True)
        self._rights[key_id] = actions
        # Where this store keeps a bucket's policy.
        bucket = self.folder / "buckets" / BUCKET
        os.setxattr(bucket, "user.policy", json.dumps(self._policy()).encode())
        return secret

    def _policy(self) -> dict[str, object]:
        bucket = f"arn:aws:s3:::{BUCKET}"
        statements = [
            {
                "Effect": "Allow",
                "Principal": {"AWS": [key_id]},
                "Action": [action],
                "Resource": [f"{bucket}/*" if action.endswith("Object") else bucket],
            }
            for key_id, actions in self._rights.items()
            for action in actions
        ]
        return {"Version": "2012-10-17", "Statement": statements}

    def make_bucket(self, name: str) -> None:
        """Makes an empty bucket: to this store a folder is one."""
        (self.folder / "buckets" / name).mkdir(parents=True)


@contextmanager
def object_store(folder: Path, address: str) -> Generator[ObjectStoreServer]:
    """Yields a store that answers at an address of this machine, with one bucket.

    Args:
        folder: An empty folder for all that it keeps.
        address: An address of this machine that pods reach: `reached_by_pods`.
    """
    port = free_port(address)
    server_certificate(folder, address, authority(folder, "authority"))
    store = ObjectStoreServer(folder=folder, address=address, port=port)
    store.make_bucket(BUCKET)
    (folder / "accounts").mkdir()
    try:
        store.start()
        yield store
    finally:
        store.stop()


def reached_by_pods(node_address: str) -> str:
    """Returns the address of this machine from which it talks to a node of a local cluster."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect((node_address, 9))
        return str(asking.getsockname()[0])


def _program() -> Path:
    """Returns versitygw: the installed one, or else one that is built from its Go module."""
    found = shutil.which("versitygw")
    return Path(found) if found else recipes.build("versitygw") / "versitygw"
