"""The Pulumi stack: its state, passphrase and secrets, and the ordinary commands run on it."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from cluster_objects import cut_off, preview
from cluster_objects.json_tree import Json, part, parts
from cluster_objects.preview import Plan
from console.failure import ExitCode, Failure
from console.signals import wait_out
from toolchain import environment, invocation, paths, ui, whole_file
from toolchain.document import Document
from toolchain.project import APPLICATION, GeneratedSecret, Project
from toolchain.state import lost_salt, resources_in, secret_files

# What a stack file has of its encryption: with a passphrase, or with a key service.
_ENCRYPTION = ("encryptionsalt", "encryptedkey", "secretsprovider")


class Stack:
    """One stack of a project, by name."""

    def __init__(self, name: str, project: Project = APPLICATION, *, has_file: bool = True) -> None:
        self.name, self.project = name, project
        self.file = project.file(name)
        self._document = Document(self.file)
        if has_file and not self.file.exists():
            there = self.file.parent.glob("Pulumi.*.yaml")
            known = ", ".join(sorted(p.name.split(".")[1] for p in there))
            raise Failure(f"There is no stack file {self.shown}; choose STACK from {known}.")

    @classmethod
    def all(cls, project: Project = APPLICATION) -> list[Stack]:
        """Returns every stack of a project that Pulumi knows, also those without a file.

        Raises:
            Failure: Pulumi cannot reach its backend.
        """
        asking = cls("minikube", project, has_file=False)
        listed = json.loads(asking._pulumi("stack", "ls", "--json"))
        names = [str(stack["name"]).rsplit("/", 1)[-1] for stack in listed]
        return [cls(name, project, has_file=False) for name in names]

    @property
    def shown(self) -> str:
        """The stack file as a person would name it."""
        return self.file.relative_to(paths.PROJECT).as_posix()

    def make(self, command: str) -> str:
        """Returns a command of the Makefile for this stack, as a person types it."""
        return invocation.make(command, self.name)

    @property
    def forgetting(self) -> str:
        """The commands that forget the stack where what it made is gone, as a person types them."""
        pulumi = " ".join(map(str, self._command()))
        return (
            f'eval "$(make env STACK={self.name})"; '
            f"{pulumi} stack rm {self.name} --force --preserve-config"
        )

    def check_settings(self) -> dict[str, Any]:
        """Validates the stack's settings before anything is started.

        Returns:
            Kubeconfig, context and namespace, as far as the settings name them.

        Raises:
            Failure: With the settings' own message.
        """
        return self._document.check(self.project.check, self.name)

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
        """Returns the stack file's settings as written, before validation."""
        return part(self.config(), self.project.key)

    def prepare(self, state: Json | None) -> None:
        """Selects or creates the stack; generates its passphrase and secrets once.

        Args:
            state: What Pulumi has of the stack; None: it knows none of that name.

        Raises:
            Failure: The passphrase is wrong, a secret that nobody can make again is lost, or Pulumi
                cannot reach its backend.
        """
        paths.PULUMI_STATE.mkdir(parents=True, exist_ok=True)
        lost = self._lost_salt(state)
        self._make_passphrase(encrypted=lost is not None or "encryptionsalt" in self.document())
        self._release_stale_lock()
        self._pulumi("stack", "select", "--create", self.name)
        config = self.config()
        generated = self.project.generated(self.settings())
        missing = [it for it in generated if it.key not in config]
        if generated and not missing:
            # Decrypts one, so that a wrong passphrase is found before anything else.
            self._pulumi("config", "get", "--stack", self.name, generated[0].key)
            ui.say(f"  stack {self.name}: its secrets are there, and its passphrase opens them")
        deployed = self._deployed_secrets() if state and (missing or lost) else {}
        if lost:
            text = self.file.read_bytes().decode()  # with the ends that its lines have
            gap = "" if text.endswith("\n") or not text else "\n"
            whole_file.replace(self.file, f"{text}{gap}encryptionsalt: {lost}\n")
        names = {it["urn"].rsplit("::", 1)[-1] for it in resources_in(state)}
        for secret in missing:
            if secret.file not in deployed and names.intersection(secret.used_by):
                raise self._lost_secret(secret)
        for secret in missing:
            known = deployed.get(secret.file or "")
            self.set_secret(secret.key, known or secret.make())
            origin = "taken from the deployed stack" if known else "generated"
            ui.say(f"  {secret.key}: {origin}, encrypted in {self.shown}")
            if secret.advice and not known:
                ui.say(f"  {secret.advice}")

    def _lost_secret(self, secret: GeneratedSecret) -> Failure:
        """Returns what to do when a secret is nowhere but in what is made with it."""
        pulumi = " ".join(map(str, self._command()))
        return Failure(
            f"{self.shown} has lost {secret.key}, which the deployed stack {self.name} uses: put "
            "the file back as it was; or, if it is lost for good, make a new one, which everybody "
            "then has to be told of who trusts it or logs in with it, with: "
            f'eval "$(make env STACK={self.name})"; {secret.command} | {pulumi} config set '
            f"--stack {self.name} --secret {secret.key}; and run this again; nothing that is "
            "deployed was changed."
        )

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
        file = paths.PASSPHRASE_FILE
        if not ours or (file.exists() and (encrypted or file.read_bytes().strip())):
            return
        if encrypted:
            raise self._wrong_passphrase()
        # Pulumi takes an empty one, which an earlier version could leave on a full disk.
        file.unlink(missing_ok=True)
        whole_file.make(file, secrets.token_urlsafe(32))

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
                f"{self.shown}, and run this again (new secrets open no database that the old "
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
        """Returns the stack's state, secrets left encrypted.

        Raises:
            Failure: There is no such stack, or Pulumi cannot tell.
        """
        text = self._pulumi("stack", "export", "--stack", self.name)
        try:
            return json.loads(text)
        except ValueError:
            raise Failure(
                "`pulumi stack export` printed no JSON; run it by hand to see why; nothing was "
                "changed."
            ) from None

    def set_secret(self, key: str, value: str) -> None:
        """Encrypts a value in the stack's file.

        Raises:
            Failure: Pulumi refuses.
        """
        self._pulumi("config", "set", "--stack", self.name, "--secret", key, text=value)

    def set_setting(self, path: str, value: str) -> None:
        """Writes a setting into the stack's file.

        Raises:
            Failure: Pulumi refuses.
        """
        where = f"{self.project.key}.{path}"
        self._pulumi("config", "set", "--stack", self.name, "--path", where, text=value)

    def up(
        self,
        *,
        refresh: bool = False,
        unready: Sequence[str] = (),
        deployed: Json | None = None,
        release: Sequence[str] = (),
    ) -> bool:
        """Runs `pulumi preview`, then an update unless that is sure to change nothing.

        The preview is what a stack that breaks a rule of `policy/` does not get past. What an
        earlier, interrupted run made is taken up again. The update of what is deployed is a
        release (`python -m ops release`), whose images can go back; before there is anything to
        guard or to go back to, it is `pulumi up`, and so is one that is to change nothing.

        Args:
            refresh: Look first at what is really there, and make what is gone anew.
            unready: What is not ready in the cluster: an update with nothing to change still waits
                for the database, heals its pod or says what is wrong with it (PostgresRollout).
            deployed: The stack's outputs, if it is deployed.
            release: Options of the release.

        Returns:
            Whether there was an update.

        Raises:
            Failure: A rule is broken, or the update failed; Pulumi has printed which or why.
            SystemExit: The release failed, and has said so.
        """
        releases = self.project.is_operated and bool(part(deployed, "operations"))
        pack = self.project.policy_pack
        options = ["--policy-pack", pack, "--suppress-outputs", "--stack", self.name]
        if refresh:
            if releases:
                self._release("--refresh", *release)
                return True
            self._stream("up", "--yes", "--refresh", *options)
            return True
        with preview.reading() as (log, plan):
            self._stream("preview", f"--event-log={log}", *options, more=preview.ENVIRONMENT)
        nothing = plan.result().nothing
        if nothing:
            if not unready:
                return False
            ui.say(
                f"  nothing is to be changed, but not ready: {', '.join(unready)}; so the update "
                "runs all the same"
            )
        if releases and not nothing:
            self._release_as(plan.result(), *release)
        else:
            self._stream("up", "--yes", "--skip-preview", *options)
        return True

    def _release_as(self, plan: Plan, *options: str) -> None:
        with tempfile.TemporaryDirectory(prefix="release-") as folder:
            file = Path(folder) / "plan.json"
            plan.write(file)
            self._release("--plan", str(file), *options)

    def _release(self, *options: str) -> None:
        """Runs `python -m ops release`, whose last line says how it ended."""
        python = paths.VENV / "bin" / "python"
        ops = [python, "-m", "ops", "--project", paths.PROJECT, "--stack", self.name, "release"]
        if code := self._run([*ops, *options]):
            sys.exit(code)

    def destroy(self) -> None:
        """Runs `pulumi destroy`: everything but the database's retained claim.

        Raises:
            Failure: The removal failed; Pulumi has printed why.
        """
        self._release_stale_lock()
        self._stream("destroy", "--yes", "--skip-preview", "--stack", self.name)

    def require_unlocked(self) -> None:
        """Lets go of the lock of an update that was killed.

        Raises:
            Failure: An update holds one, or nobody here knows who.
        """
        self._release_stale_lock()
        if not environment.uses_own_state(self.name):
            return
        if holder := cut_off.held_by(paths.PULUMI_STATE, self.project.name, self.name):
            raise Failure(cut_off.another_update(holder, self.name), ExitCode.UNREACHABLE)

    def forget_cluster(self) -> None:
        """Drops what set-up found out: the next one is free to choose another cluster."""
        self.project.found_out(self.name).unlink(missing_ok=True)

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
        self.forget_cluster()
        if not environment.uses_own_state(self.name):
            return []
        self.require_unlocked()
        options = ["--yes", "--preserve-config", *(["--force"] if force else [])]
        self._pulumi("stack", "rm", self.name, *options)
        if not self.file.exists():
            return []
        keys = self.project.forgotten
        done = subprocess.run(
            [paths.VENV / "bin" / "python", "-m", "toolchain.stack_file", self.file, *keys],
            capture_output=True,
            text=True,
            cwd=paths.PROJECT,
            check=False,
        )
        if done.returncode:
            raise Failure(
                f"Stack {self.name} is forgotten, but {self.shown} cannot be written: delete "
                f"{' and '.join(['encryptionsalt', *keys[:2]])} from it by hand."
            )
        return json.loads(done.stdout)

    def _stream(self, *arguments: str, more: Mapping[str, str] | None = None) -> None:
        if self._run([*self._command(), *arguments], more):
            command = self.project.down if arguments[0] == "destroy" else self.project.up
            raise Failure(
                f"`pulumi {arguments[0]}` did not finish; fix what it printed above and run "
                f"`{self.make(command)}` again, which goes on from here."
            )

    def _run(self, command: Sequence[str | Path], more: Mapping[str, str] | None = None) -> int:
        """Runs a command that writes to the terminal, and returns its exit code.

        Raises:
            KeyboardInterrupt: It was interrupted, and did not say so itself.
        """
        process = subprocess.Popen(
            command,
            cwd=paths.PROJECT,
            env=environment.complete(self.name) | dict(more or {}),
        )
        try:
            return process.wait()
        except KeyboardInterrupt:
            # The terminal has sent the signal to Pulumi too: let it finish its state.
            if wait_out(process) != ExitCode.INTERRUPTED:
                raise
            return ExitCode.INTERRUPTED

    def _pulumi(self, *arguments: str, text: str | None = None) -> str:
        if environment.uses_own_state(self.name):
            # Without the folder Pulumi does not even say that there is no stack.
            paths.PULUMI_STATE.mkdir(parents=True, exist_ok=True)
        try:
            done = subprocess.run(
                [*self._command(), *arguments, "--non-interactive"],
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

    def _command(self) -> list[str]:
        folder = self.project.folder
        return ["pulumi", *(["--cwd", folder] if folder != "." else [])]

    def _release_stale_lock(self) -> None:
        """Removes the lock of an update here whose process is gone (killed, power lost)."""
        if not environment.uses_own_state(self.name):
            return
        if cut_off.release_locks(paths.PULUMI_STATE, self.name):
            ui.say("  an earlier update was cut off: its lock is released, this one goes on")


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
