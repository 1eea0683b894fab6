"""A repository of the real restic in a folder, and locks in it as a killed restic leaves them."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR, ECB
from cryptography.hazmat.primitives.poly1305 import Poly1305

from toolchain import paths

_OLDEST = (0, 17)
"""Of restic: older ones do not say by their exit code what is wrong."""


def find_restic(folder: Path) -> Path | None:
    """Returns the installed restic, or else the one of the image that tests on a cluster made.

    Args:
        folder: Where the latter is unpacked.
    """
    installed = shutil.which("restic")
    if installed:
        said = subprocess.run([installed, "version"], capture_output=True, text=True, check=True)
        found = re.match(r"restic (\d+)\.(\d+)", said.stdout)
        if found and (int(found[1]), int(found[2])) >= _OLDEST:
            return Path(installed)
    for archive in paths.cache().glob("built/addon-restic-*/rootfs.tar"):
        with tarfile.open(archive) as packed:
            packed.extract("./usr/bin/restic", folder, filter="data")
        return folder / "usr" / "bin" / "restic"
    return None


@dataclass(frozen=True)
class Repository:
    """A repository in a folder of this machine."""

    restic: Path
    folder: Path
    password: Path
    """File with the password."""

    @property
    def environment(self) -> dict[str, str]:
        """By which restic finds it."""
        return {
            "RESTIC_REPOSITORY": str(self.folder),
            "RESTIC_PASSWORD_FILE": str(self.password),
        }

    @property
    def locks(self) -> set[str]:
        """Names of the locks."""
        return {it.name for it in (self.folder / "locks").iterdir()}

    def run(self, *arguments: str) -> str:
        """Returns what restic prints."""
        return subprocess.run(
            [self.restic, "--no-cache", *arguments],
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=600,
        ).stdout

    def leave_lock(self, age: timedelta, *, exclusive: bool) -> str:
        """Leaves the lock of a restic on another host and returns its name.

        Nothing but a clock that is put back makes restic write an old one, so it is written here:
        https://restic.readthedocs.io/en/stable/100_references.html has the form.
        """
        lock = {
            "time": (datetime.now(UTC) - age).isoformat(),
            "exclusive": exclusive,
            "hostname": "postgres-backup-1-killed",
            "username": "nobody",
            "pid": 7,
        }
        sealed = _seal(self._master_key(), json.dumps(lock).encode())
        name = hashlib.sha256(sealed).hexdigest()
        (self.folder / "locks" / name).write_bytes(sealed)
        return name

    def _master_key(self) -> dict[str, Any]:
        (file,) = (self.folder / "keys").iterdir()
        key = json.loads(file.read_text())
        derived = hashlib.scrypt(
            self.password.read_bytes().strip(),
            salt=b64decode(key["salt"]),
            n=key["N"],
            r=key["r"],
            p=key["p"],
            maxmem=2**27,
            dklen=64,
        )
        sealed = b64decode(key["data"])
        cipher = Cipher(AES(derived[:32]), CTR(sealed[:16])).decryptor()
        return json.loads(cipher.update(sealed[16:-16]))


def _seal(key: dict[str, Any], plain: bytes) -> bytes:
    """Encrypts with AES-256-CTR and authenticates with Poly1305-AES."""
    start = os.urandom(16)
    encrypted = Cipher(AES(b64decode(key["encrypt"])), CTR(start)).encryptor().update(plain)
    mask = Cipher(AES(b64decode(key["mac"]["k"])), ECB()).encryptor().update(start)  # noqa: S305
    code = Poly1305.generate_tag(b64decode(key["mac"]["r"]) + mask, encrypted)
    return start + encrypted + code
