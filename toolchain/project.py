"""The Pulumi programs of this repository, as set-up knows them."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from addons.names import PROJECT as ADDONS_NAME
from addons.secret_table import SECRETS as ADDONS_SECRETS
from cluster_objects.json_tree import Json, part
from components.todo.names import PROJECT as APPLICATION_NAME
from components.todo.secret_table import BACKUP_KEY, SECRETS
from console.failure import Failure
from toolchain import paths


@dataclass(frozen=True, kw_only=True)
class GeneratedSecret:
    """A secret that is generated once and kept encrypted in the stack's file."""

    key: str
    """With the project, such as `todo:jwtKey`."""
    file: str | None
    """The file that Kubernetes' Secrets have it in, from which a lost one is taken back."""
    make: Callable[[], str]
    """Returns a value."""
    command: str = ""
    """A shell command that prints one, where a person may choose to replace a lost one."""
    advice: str = ""
    """What a person is told when one is made."""
    used_by: tuple[str, ...] = ()
    """Pulumi's names of what is not to be made anew with another value unasked."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """One Pulumi program."""

    name: str
    """As its Pulumi.yaml has it, and its configuration keys begin with."""
    folder: str
    """Relative to the repository."""
    up: str
    """The Makefile's command that deploys a stack."""
    down: str
    """The Makefile's command that removes it."""
    check: str
    """The module that validates the settings of a stack file, run in the project's `.venv`."""
    found_out: Callable[[str], Path]
    """The file with what was found out for a stack."""
    generated: Callable[[Json], Sequence[GeneratedSecret]]
    """The secrets that a stack with these settings needs."""
    is_operated: bool
    """Whether its stacks have the output by which `python -m ops` looks after them."""
    forgotten: tuple[str, ...]
    """The keys of all secrets that only set-up and the operations write, and that open nothing once
    the stack is gone: the key of backups in an object store is none of them."""

    @property
    def key(self) -> str:
        """The configuration key of the settings."""
        return f"{self.name}:settings"

    @property
    def policy_pack(self) -> str:
        """The policy pack, relative to the project's folder."""
        return os.path.relpath("policy", self.folder)

    def file(self, stack: str) -> Path:
        """Returns a stack's file."""
        return paths.PROJECT / self.folder / f"Pulumi.{stack}.yaml"


def _application_secrets(settings: Json) -> list[GeneratedSecret]:
    if part(settings, "secrets").get("mode", "generated") != "generated":
        return []
    needed = [it for it in SECRETS if it.required]
    backup = part(settings, "database", "backup", "destination")
    stored = [BACKUP_KEY] if backup.get("mode") == "s3" else []
    return [
        GeneratedSecret(
            key=it.config_key,
            file=it.file,
            make=lambda: secrets.token_urlsafe(36),
            advice=f"without it nobody can read the backups: keep a copy of what `pulumi config "
            f"get {it.config_key}` prints away from this machine and the cluster"
            if it in stored
            else "",
        )
        for it in (*needed, *stored)
    ]


def _addon_secrets(settings: Json) -> list[GeneratedSecret]:
    return [
        GeneratedSecret(
            key=it.config_key,
            file=it.file,
            make=_running(it.generate),
            command=it.generate,
            used_by=it.used_by,
        )
        for it in ADDONS_SECRETS
        if settings.get(it.part) is not None
    ]


def _running(command: str) -> Callable[[], str]:
    def run() -> str:
        path = f"{paths.VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        done = subprocess.run(
            ["sh", "-c", command],
            capture_output=True,
            text=True,
            cwd=paths.PROJECT,
            env=os.environ | {"PATH": path},
            check=False,
        )
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise Failure(f"`{command}` failed: {said[-1]}; mend that and run this again.")
        return done.stdout.strip()

    return run


APPLICATION = Project(
    name=APPLICATION_NAME,
    folder=".",
    up="up",
    down="down",
    check="toolchain.settings_check",
    found_out=paths.machine_settings,
    generated=_application_secrets,
    is_operated=True,
    forgotten=tuple(it.config_key for it in SECRETS if it.required or it.rotates),
)
ADDONS = Project(
    name=ADDONS_NAME,
    folder="addons",
    up="addons",
    down="addons-down",
    check="toolchain.addons_check",
    found_out=paths.addon_settings,
    generated=_addon_secrets,
    is_operated=False,
    forgotten=tuple(it.config_key for it in ADDONS_SECRETS),
)
PROJECTS = (APPLICATION, ADDONS)
