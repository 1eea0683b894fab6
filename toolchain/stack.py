"""The Pulumi stack: its state, passphrase and secrets, and the ordinary commands run on it."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolchain import environment, paths, ui

# Secrets that are generated once, and the files that the backend's Secret has them in.
_GENERATED = {"databasePassword": "database-password", "jwtKey": "jwt-key"}


class Stack:
    """One stack of the project, by name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.file = paths.PROJECT / f"Pulumi.{name}.yaml"
        if not self.file.exists():
            known = ", ".join(
                sorted(p.name.split(".")[1] for p in paths.PROJECT.glob("Pulumi.*.yaml"))
            )
            raise ui.Failure(f"There is no stack file {self.file.name}; choose STACK from {known}.")

    def config(self) -> dict[str, Any]:
        """The stack file's ``config`` mapping.

        Raises:
            Failure: The file is not valid YAML.
        """
        program = "import json,sys,yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1])) or {}, default=str))"
        text = ui.capture([paths.VENV / "bin" / "python", "-c", program, self.file])
        if text is None:
            raise ui.Failure(f"{self.file.name} is not valid YAML; correct it and run again.")
        return json.loads(text).get("config") or {}

    def settings(self) -> dict[str, Any]:
        """The stack file's ``todo:settings`` as written, before validation."""
        value = self.config().get("todo:settings") or {}
        return value if isinstance(value, dict) else {}

    def prepare(self) -> None:
        """Select or create the stack; generate its passphrase and secrets once.

        Raises:
            Failure: The passphrase is wrong, or Pulumi cannot reach its backend.
        """
        paths.PULUMI_STATE.mkdir(parents=True, exist_ok=True)
        if (
            not paths.PASSPHRASE_FILE.exists()
            and "PULUMI_CONFIG_PASSPHRASE_FILE" in environment.variables(self.name)
        ):
            descriptor = os.open(paths.PASSPHRASE_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(32))
        self._release_stale_lock()
        self._pulumi("stack", "select", "--create", self.name)
        config = self.config()
        generated = (self.settings().get("secrets") or {}).get("mode", "generated") == "generated"
        missing = [n for n in _GENERATED if f"todo:{n}" not in config] if generated else []
        if generated and not missing:
            # Decrypts one, so that a wrong passphrase is found before anything else.
            self._pulumi("config", "get", "--stack", self.name, f"todo:{next(iter(_GENERATED))}")
        deployed = self._deployed_secrets() if missing else {}
        for name in missing:
            known = deployed.get(_GENERATED[name])
            value = known or secrets.token_urlsafe(36)
            key = ("--stack", self.name, "--secret", f"todo:{name}")
            self._pulumi("config", "set", *key, text=value)
            origin = "taken from the deployed stack" if known else "generated"
            ui.say(f"  todo:{name}: {origin}, encrypted in {self.file.name}")

    def _deployed_secrets(self) -> dict[str, str]:
        """The backend's secrets as deployed, by file name; none before the first update.

        A stack file can lose its secrets (``git checkout``); a database keeps the password it was made with.
        """
        text = self._pulumi("stack", "export", "--show-secrets", "--stack", self.name)
        return _backend_secrets(json.loads(text))

    def export(self) -> dict[str, Any]:
        """The stack's state, secrets left encrypted."""
        return json.loads(self._pulumi("stack", "export", "--stack", self.name))

    def up(self, *, refresh: bool = False, replace: Sequence[str] = ()) -> None:
        """Run ``pulumi up``; what an earlier, interrupted run made is taken up again.

        Its preview is what a stack that breaks a rule of ``policy/`` does not get past.

        Args:
            refresh: Look first at what is really there, and make what is gone anew.
            replace: URNs of resources to make anew whatever the state says.

        Raises:
            Failure: A rule is broken, or the update failed; Pulumi has printed which or why.
        """
        options = ["--yes", "--policy-pack", "policy", "--suppress-outputs"]
        options += ["--refresh"] if refresh else []
        options += [word for urn in replace for word in ("--replace", urn)]
        self._stream("up", *options, "--stack", self.name)

    def destroy(self) -> None:
        """Run ``pulumi destroy``: everything but the database's retained claim.

        Raises:
            Failure: The removal failed; Pulumi has printed why.
        """
        self._release_stale_lock()
        self._stream("destroy", "--yes", "--skip-preview", "--stack", self.name)

    def forget(self) -> None:
        """Drop the stack's state after its cluster is gone; its settings and secrets stay in the stack file."""
        if environment.uses_own_state(self.name):
            ui.capture(
                [*_command(), "stack", "rm", self.name, "--force", "--yes", "--preserve-config"],
                env=environment.complete(self.name),
            )

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets left masked."""
        text = ui.capture(
            [*_command(), "stack", "output", "--json", "--stack", self.name],
            env=environment.complete(self.name),
        )
        return json.loads(text) if text else {}

    def _stream(self, *arguments: str) -> None:
        process = subprocess.Popen(
            [*_command(), *arguments], cwd=paths.PROJECT, env=environment.complete(self.name)
        )
        try:
            code = process.wait()
        except KeyboardInterrupt:
            # The terminal has sent the signal to Pulumi too: let it finish its state.
            process.wait()
            raise
        if code:
            raise ui.Failure(
                f"`pulumi {arguments[0]}` did not finish; mend what it printed above and run `make "
                f"{'up' if arguments[0] == 'up' else 'down'}` again, which goes on from here."
            )

    def _pulumi(self, *arguments: str, text: str | None = None) -> str:
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
        if done.returncode == 0:
            return done.stdout
        message = done.stderr.strip() or done.stdout.strip()
        if "incorrect passphrase" in message:
            raise ui.Failure(
                f"The passphrase does not open stack {self.name}: restore {paths.PASSPHRASE_FILE.relative_to(paths.PROJECT)} "
                "(or PULUMI_CONFIG_PASSPHRASE) as it was when the stack was made; nothing was changed."
            )
        raise ui.Failure(
            f"`pulumi {' '.join(arguments[:2])}` failed: {_reason(message) or f'exit code {done.returncode}'}"
        )

    def _release_stale_lock(self) -> None:
        """Remove the lock of an update on this machine whose process is gone (killed, power lost)."""
        if not environment.uses_own_state(self.name):
            return
        for lock in (paths.PULUMI_STATE / ".pulumi" / "locks").rglob(f"{self.name}/*.json"):
            try:
                holder = json.loads(lock.read_text())
            except ValueError:
                holder = {}
            if holder.get("hostname", os.uname().nodename) != os.uname().nodename:
                continue
            if not Path(f"/proc/{holder.get('pid', 0)}").exists():
                lock.unlink(missing_ok=True)
                ui.say("  an earlier update was cut off: its lock is released, this one goes on")


def _backend_secrets(export: dict[str, Any]) -> dict[str, str]:
    """The files of the Secret ``backend-secrets`` in a state exported with its secrets."""
    for resource in (export.get("deployment") or {}).get("resources") or ():
        if resource["urn"].endswith("::backend-secrets") and not resource.get("delete"):
            # The provider keeps them in ``data``, in base64, where the program says ``stringData``.
            encoded = "data" in resource["inputs"]
            files = resource["inputs"]["data" if encoded else "stringData"]["plaintext"]
            found: dict[str, str] = json.loads(files)
            return {n: base64.b64decode(v).decode() if encoded else v for n, v in found.items()}
    return {}


def _reason(message: str) -> str:
    """What went wrong, out of Pulumi's text or its JSON diagnostics."""
    try:
        diagnostics = json.loads(message).get("diagnostics") or []
    except ValueError:
        return message.splitlines()[-1].removeprefix("error: ") if message else ""
    return "\n".join(d["message"].strip() for d in diagnostics if d.get("severity") == "error")


def _command() -> list[str]:
    return ["pulumi"]
