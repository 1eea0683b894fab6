"""The key pair that a stack's images are signed with, made once by cosign."""

from __future__ import annotations

import os
import secrets
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from cluster_objects.json_tree import part
from components.todo.secret_table import SIGNING_KEY, SIGNING_PASSWORD
from console.failure import Failure
from toolchain import paths, ui
from toolchain.stack import Stack


def make(stack: Stack) -> None:
    """Makes the pair: both secrets into the stack's file, the public key into its settings.

    Args:
        stack: Pushes its images, and is known to Pulumi.

    Raises:
        Failure: It loads its images or takes those of others, has a key already, or cosign fails.
    """
    if part(stack.settings(), "images").get("mode") != "registry":
        raise Failure(
            f"{stack.shown} has another images.mode than registry, and only what is pushed is "
            "signed; choose it, or give images.signature the public key of whoever signs, and run "
            "again."
        )
    if SIGNING_KEY.config_key in stack.config():
        raise Failure(
            f"{stack.shown} has {SIGNING_KEY.config_key} already, and what it signed would be "
            f"refused; for another one remove it with `pulumi config rm {SIGNING_KEY.config_key}` "
            "and run again."
        )
    password = secrets.token_urlsafe(32)
    with TemporaryDirectory(prefix="signing-key-") as folder:
        _generate(Path(folder), password)
        private, public = (Path(folder, f"cosign.{it}").read_text() for it in ("key", "pub"))
    # Cut off before the last of them, it is made anew: the key alone says that there is one.
    stack.set_setting("images.signature.publicKey", public)
    stack.set_secret(SIGNING_PASSWORD.config_key, password)
    stack.set_secret(SIGNING_KEY.config_key, private)
    ui.say(
        f"  {SIGNING_KEY.config_key}: generated, encrypted in {stack.shown}; the public key is its "
        "images.signature.publicKey"
    )


def _generate(folder: Path, password: str) -> None:
    program = paths.BIN / "cosign"
    try:
        done = subprocess.run(
            [program if program.exists() else "cosign", "generate-key-pair"],
            cwd=folder,
            env={**os.environ, "COSIGN_PASSWORD": password},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise Failure(f"cosign cannot run ({error}); install cosign 3 and run again.") from None
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise Failure(f"`cosign generate-key-pair` failed: {said[-1]}; mend that and run again.")
