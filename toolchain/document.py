"""A stack file: YAML, which the Python of the project's `.venv` reads."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from cluster_objects.json_tree import Json
from console.failure import Failure
from toolchain import paths, python_env, ui

REFUSED = 3
"""What `settings_check` ends with when it has said what is wrong; Python's own end is 1."""
_PROGRAM = (
    "import json, sys, yaml; "
    "print(json.dumps(yaml.safe_load(open(sys.argv[1], 'rb')) or {}, default=str))"
)


class Document:
    """One stack file, which is read anew only when something else is written in it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: tuple[bytes | None, Json] | None = None

    def tree(self) -> Json:
        """Returns what is in the file.

        Raises:
            Failure: The file is not valid YAML, or there is no Python environment yet to read it
                with.
        """
        written = self._written()
        if self._known is None or self._known[0] != written:
            text = ui.capture([python_env.python(), "-c", _PROGRAM, self._file])
            if text is None:
                raise Failure(f"{self._file.name} is not valid YAML; correct it and run again.")
            self._known = written, json.loads(text)
        return self._known[1]

    def check(self, module: str, stack: str) -> Json:
        """Validates the settings before anything is started.

        Args:
            module: What checks them.
            stack: The stack, of which set-up may have found something out.

        Returns:
            Kubeconfig, context and namespace, as far as the settings name them.

        Raises:
            Failure: With the settings' own message.
        """
        written = self._written()
        check = [python_env.python(), "-m", module, stack, self._file]
        done = subprocess.run(check, capture_output=True, text=True, cwd=paths.PROJECT, check=False)
        if done.returncode:
            said = done.stderr.strip() or f"exit code {done.returncode}"
            if done.returncode != REFUSED:
                # The check itself did not run: packages of the environment are missing or broken.
                raise Failure(
                    f"{self._file.name} cannot be checked ({said.splitlines()[-1]}); remove .venv, "
                    "run `make install`, then this again; nothing was changed."
                )
            raise Failure(said)
        told = json.loads(done.stdout)
        self._known = written, told["document"]
        return told["place"]

    def _written(self) -> bytes | None:
        return self._file.read_bytes() if self._file.exists() else None
