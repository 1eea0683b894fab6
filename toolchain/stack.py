"""The Pulumi stack: its state, passphrase and secrets, and the ordinary commands run on it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any, cast

from cluster_objects.json_tree import Json, part, parts
from components.todo.names import PROJECT
from components.todo.secret_table import SECRETS
from console.failure import Failure
from toolchain import environment, paths, preview, ui
from toolchain.document import Document
from toolchain.state import lost_salt, resources_in, secret_files

_GENERATED = {secret.name: secret.file for secret in SECRETS if secret.required}
"""Secrets that are generated once, and the files that Kubernetes' Secrets have them in."""
_ROTATED = tuple(secret.name for secret in SECRETS if secret.rotates)
"""Those that come and go with `make rotate-jwt-key`."""
# What a stack file has of its encryption: with a passphrase, or with a key service.
_ENCRYPTION = ("encryptionsalt", "encryptedkey", "secretsprovider")


class Stack:
    """One stack of the project, by name."""

    project = PROJECT

    def __init__(self, name: str, *, has_file: bool = True) -> None:
        self.name = name
        self.file = paths.PROJECT / f"Pulumi.{name}.yaml"
        self._document = Document(self.file)
        if has_file and not self.file.exists():
            known = ", ".join(
                sorted(p.name.split(".")[1] for p in paths.PROJECT.glob("Pulumi.*.yaml"))
            )
            raise Failure(f"There is no stack file {self.file.name}; choose STACK from {known}.")

    @classmethod
    def all(cls) -> list[Stack]:
        """Returns every stack of the project that Pulumi knows, also those without a file.

        Raises:
            Failure: Pulumi cannot reach its backend.
        """
        asking = cls("minikube", has_file=False)
        listed = json.loads(asking._pulumi("stack", "ls", "--json"))
        return [cls(stack["name"].rsplit("/", 1)[-1], has_file=False) for stack in listed]

    def make(self, command: str) -> str:
        """Returns a command of the Makefile for this stack, as a person types it."""
        return f"make {command}" + ("" if self.name == "minikube" else f" STACK={self.name}")

    def check_settings(self) -> dict[str, Any]:
        """Validates the stack's settings before anything is started.

        Returns:
            Kubeconfig, context and namespace, as far as the settings name them.

        Raises:
            Failure: With the settings' own message.
        """
        return self._document.check(self.name)

    def document(self) -> dict[str, Any]:
        """Returns the stack file.

        Raises:
            Failure: The file is not valid YAML, or there is no Python environment yet to read it
                with.
        """
        return self._document.tree()

    def config(self) -> dict[str, Any]:
        """Returns the stack file's `config` mapping."""
        return part(self.document(), "config")

    def settings(self) -> dict[str, Any]:
        """Returns the stack file's `todo:settings` as written, before validation."""
        return part(self.config(), "todo:settings")

    def prepare(self, state: Json | None) -> None:
        """Selects or creates the stack; generates its passphrase and secrets once.

        Args:
            state: What Pulumi has of the stack; None: it knows none of that name.

        Raises:
            Failure: The passphrase is wrong, or Pulumi cannot reach its backend.
        """
        paths.PULUMI_STATE.mkdir(parents=True, exist_ok=True)
        lost = self._lost_salt(state)
        self._make_passphrase(encrypted=lost is not None or "encryptionsalt" in self.document())
        self._release_stale_lock()
        self._pulumi("stack", "select", "--create", self.name)
        config = self.config()
        generated = part(self.settings(), "secrets").get("mode", "generated") == "generated"
        missing = [n for n in _GENERATED if f"todo:{n}" not in config] if generated else []
        if generated and not missing:
            # Decrypts one, so that a wrong passphrase is found before anything else.
            self._pulumi("config", "get", "--stack", self.name, f"todo:{next(iter(_GENERATED))}")
            ui.say(f"  stack {self.name}: its secrets are there, and its passphrase opens them")
        deployed = self._deployed_secrets() if state and (missing or lost) else {}
        if lost:
            text = self.file.read_text()
            gap = "" if text.endswith("\n") or not text else "\n"
            self.file.write_text(f"{text}{gap}encryptionsalt: {lost}\n")
        for name in missing:
            known = deployed.get(_GENERATED[name])
            value = known or secrets.token_urlsafe(36)
            key = ("--stack", self.name, "--secret", f"todo:{name}")
            self._pulumi("config", "set", *key, text=value)
            origin = "taken from the deployed stack" if known else "generated"
            ui.say(f"  todo:{name}: {origin}, encrypted in {self.file.name}")

    def _lost_salt(self, state: Json | None) -> str | None:
        """Returns the salt in the state, when the stack file lost its own (`git checkout`).

        With a new one any passphrase would do, and what is in the cluster would not be recognised
        as this stack's.
        """
        if any(name in self.document() for name in _ENCRYPTION):
            return None
        return lost_salt(state)

    def _make_passphrase(self, *, encrypted: bool) -> None:
        """Generates a passphrase where there is none.

        Args:
            encrypted: Something is encrypted with the one that is gone.

        Raises:
            Failure: The stack file needs another passphrase.
        """
        ours = "PULUMI_CONFIG_PASSPHRASE_FILE" in environment.variables(self.name)
        if not ours or paths.PASSPHRASE_FILE.exists():
            return
        if encrypted:
            raise self._wrong_passphrase()
        descriptor = os.open(paths.PASSPHRASE_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32))

    def _wrong_passphrase(self) -> Failure:
        """Returns what to do when the stack file was encrypted with another passphrase."""
        file = paths.PASSPHRASE_FILE.relative_to(paths.PROJECT)
        text = (
            f"The passphrase does not open stack {self.name}: restore {file} (or "
            "PULUMI_CONFIG_PASSPHRASE) as it was when the stack was made"
        )
        if not resources_in(self.state()):
            encrypted = [n for n in self.document() if n in _ENCRYPTION]
            encrypted += [n for n, value in self.config().items() if _is_encrypted(value)]
            text += (
                f"; or, if it is lost for good, delete {', '.join(encrypted)} from "
                f"{self.file.name}, and run this again (new secrets open no database that the old "
                "ones belong to, and change none)"
            )
        return Failure(f"{text}; nothing was changed.")

    def _deployed_secrets(self) -> dict[str, str]:
        """Returns the secrets as deployed, by file name; none before the first update.

        A stack file can lose its secrets (`git checkout`); a database keeps the password it was
        made with.

        Raises:
            Failure: They are there, but the passphrase does not open them.
        """
        text = self._pulumi("stack", "export", "--show-secrets", "--stack", self.name)
        try:
            return secret_files(json.loads(text))
        except (AttributeError, KeyError, TypeError, ValueError):
            # Some versions of Pulumi then export null and succeed (pulumi/pulumi#23476).
            raise self._wrong_passphrase() from None

    def state(self) -> dict[str, Any] | None:
        """Returns the stack's state, secrets left encrypted; None when there is no such stack.

        Raises:
            Failure: Pulumi cannot reach its backend.
        """
        try:
            return self.export()
        except Failure as failure:
            if "no stack named" in str(failure):
                return None
            raise

    def export(self) -> dict[str, Any]:
        """Returns the stack's state, secrets left encrypted."""
        text = self._pulumi("stack", "export", "--stack", self.name)
        try:
            return json.loads(text)
        except ValueError:
            raise Failure(
                "`pulumi stack export` printed no JSON; run it by hand to see why; nothing was "
                "changed."
            ) from None

    def up(self, *, refresh: bool = False, unready: Sequence[str] = ()) -> bool:
        """Runs `pulumi preview`, then `pulumi up` unless that is sure to change nothing.

        The preview is what a stack that breaks a rule of `policy/` does not get past. What an
        earlier, interrupted run made is taken up again.

        Args:
            refresh: Look first at what is really there, and make what is gone anew.
            unready: What is not ready in the cluster: an update with nothing to change still waits
                for the database, heals its pod or says what is wrong with it (PostgresRollout).

        Returns:
            Whether there was an update.

        Raises:
            Failure: A rule is broken, or the update failed; Pulumi has printed which or why.
        """
        options = ["--policy-pack", "policy", "--suppress-outputs", "--stack", self.name]
        if refresh:
            self._stream("up", "--yes", "--refresh", *options)
            return True
        with preview.reading() as (log, nothing):
            self._stream("preview", f"--event-log={log}", *options, more=preview.ENVIRONMENT)
        if nothing.result():
            if not unready:
                return False
            ui.say(
                f"  nothing is to be changed, but not ready: {', '.join(unready)}; so the update "
                "runs all the same"
            )
        self._stream("up", "--yes", "--skip-preview", *options)
        return True

    def destroy(self) -> None:
        """Runs `pulumi destroy`: everything but the database's retained claim.

        Raises:
            Failure: The removal failed; Pulumi has printed why.
        """
        self._release_stale_lock()
        self._stream("destroy", "--yes", "--skip-preview", "--stack", self.name)

    def forget(self, *, force: bool = False) -> list[str]:
        """Drops the stack's state, and from its file the salt and the generated secrets.

        A state that is kept elsewhere than in this clone is left alone, and so is the file then.

        Args:
            force: Also when the state has resources, because they are gone with their cluster.

        Returns:
            Secrets of a person's own, which stay in the stack file and need the passphrase they
            have.

        Raises:
            Failure: Pulumi refuses, or the file cannot be written.
        """
        if not environment.uses_own_state(self.name):
            return []
        options = ["--yes", "--preserve-config", *(["--force"] if force else [])]
        self._pulumi("stack", "rm", self.name, *options)
        if not self.file.exists():
            return []
        keys = [f"todo:{name}" for name in (*_GENERATED, *_ROTATED)]
        done = subprocess.run(
            [paths.VENV / "bin" / "python", "-m", "toolchain.stack_file", self.file, *keys],
            capture_output=True,
            text=True,
            cwd=paths.PROJECT,
            check=False,
        )
        if done.returncode:
            raise Failure(
                f"Stack {self.name} is forgotten, but {self.file.name} cannot be written: delete "
                f"encryptionsalt, {' and '.join(keys[:2])} from it by hand."
            )
        return json.loads(done.stdout)

    def _stream(self, *arguments: str, more: Mapping[str, str] | None = None) -> None:
        process = subprocess.Popen(
            [*_command(), *arguments],
            cwd=paths.PROJECT,
            env=environment.complete(self.name) | dict(more or {}),
        )
        try:
            code = process.wait()
        except KeyboardInterrupt:
            # The terminal has sent the signal to Pulumi too: let it finish its state.
            process.wait()
            raise
        if code:
            raise Failure(
                f"`pulumi {arguments[0]}` did not finish; fix what it printed above and run `make "
                f"{'down' if arguments[0] == 'destroy' else 'up'}` again, which goes on from here."
            )

    def _pulumi(self, *arguments: str, text: str | None = None) -> str:
        if environment.uses_own_state(self.name):
            # Without the folder Pulumi does not even say that there is no stack.
            paths.PULUMI_STATE.mkdir(parents=True, exist_ok=True)
        try:
            done = subprocess.run(
                [*_command(), *arguments, "--non-interactive"],
                input=text,
                stdin=subprocess.DEVNULL if text is None else None,
                capture_output=True,
                text=True,
                cwd=paths.PROJECT,
                env=environment.complete(self.name),
                check=False,
            )
        except FileNotFoundError:
            raise Failure(
                "The command pulumi is not found; run `make install`, then this again; nothing was "
                "changed."
            ) from None
        if done.returncode == 0:
            return done.stdout
        message = done.stderr.strip() or done.stdout.strip()
        if "incorrect passphrase" in message:
            raise self._wrong_passphrase()
        raise Failure(
            f"`pulumi {' '.join(arguments[:2])}` failed: "
            f"{_reason(message) or f'exit code {done.returncode}'}"
        )

    def _release_stale_lock(self) -> None:
        """Removes the lock of an update here whose process is gone (killed, power lost)."""
        if not environment.uses_own_state(self.name):
            return
        for lock in (paths.PULUMI_STATE / ".pulumi" / "locks").rglob(f"{self.name}/*.json"):
            try:
                holder = json.loads(lock.read_text())
                host, process = holder["hostname"], int(holder["pid"])
            except (OSError, ValueError, KeyError, TypeError):
                # Nobody knows whose it is: Pulumi says that the stack is locked, and how to go on.
                continue
            if host == os.uname().nodename and not _runs(process):
                lock.unlink(missing_ok=True)
                ui.say("  an earlier update was cut off: its lock is released, this one goes on")


def _runs(process: int) -> bool:
    """Returns whether a process of this machine is there; signal 0 only asks."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's
    return True


def _is_encrypted(value: object) -> bool:
    """Returns whether there is an encrypted value in it, at any depth."""
    if isinstance(value, dict):
        tree = cast("Json", value)
        return "secure" in tree or any(map(_is_encrypted, tree.values()))
    return isinstance(value, list) and any(map(_is_encrypted, cast("list[object]", value)))


def _reason(message: str) -> str:
    """Returns what went wrong, out of Pulumi's text or its JSON diagnostics."""
    try:
        diagnostics = parts(json.loads(message), "diagnostics")
    except ValueError:
        return message.splitlines()[-1].removeprefix("error: ") if message else ""
    return "\n".join(d["message"].strip() for d in diagnostics if d.get("severity") == "error")


def _command() -> list[str]:
    return ["pulumi"]
