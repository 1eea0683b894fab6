"""Runs the script that brings dumps to an object store, in folders of a test."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from components.postgres.store_script import STORE_SCRIPT

NAME = "todo-20260101T000000Z.dump"
"""The dump."""


@dataclass(frozen=True)
class Ran:
    """How a run of the script ended."""

    code: int
    said: list[str]


def run_script(
    folder: Path, verb: str, restic: Path, environment: Mapping[str, str] | None = None
) -> Ran:
    """Runs the script; what waits for a lock of restic waits for a second.

    Args:
        folder: Of the test; what puts a dump finds one there.
        verb: What the script does.
        restic: The program.
        environment: Beyond what each run is given.
    """
    for name in ("bin", "store", "backups"):
        (folder / name).mkdir(exist_ok=True)
    if verb.startswith("put"):
        (folder / "backups" / NAME).write_text("the dump")
    for secret in ("id", "secret"):
        (folder / secret).write_text("unused")
    if not (folder / "bin" / "restic").exists():
        (folder / "bin" / "restic").symlink_to(restic)
    script = STORE_SCRIPT.replace("/run/store", str(folder / "store"))
    for wait in ("5m", "1m"):
        assert f"--retry-lock {wait}" in script
        script = script.replace(f"--retry-lock {wait}", "--retry-lock 1s")
    done = subprocess.run(
        ["/bin/sh", "-c", script.replace("/backups", str(folder / "backups")), "store", verb],
        env={
            "PATH": f"{folder / 'bin'}:/usr/bin:/bin",
            "KEY_ID_FILE": str(folder / "id"),
            "SECRET_FILE": str(folder / "secret"),
            "PGDATABASE": "todo",
            "OWNER": "shop",
            "KEEP": "3",
            "STORE": "https://s3.example.com/b/p",
            "STORE_SETTING": "the destination",
            "KEY_SETTING": "key of the tests",
            "CREDENTIALS_SETTING": "the credentials",
            **(environment or {}),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )
    return Ran(done.returncode, done.stdout.splitlines())
