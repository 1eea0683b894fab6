"""The user's own environment, and what a tool answers in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster_objects.json_tree import part, parts
from toolchain import paths

_DOCKER = ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
_REASONS = (
    r"Error response from daemon: (.+)",  # Docker, also when kind, k3d and Minikube asked it
    r"Exiting due to (.+)",  # Minikube, followed by advice in a frame
    r"FATA\[\d+\] (.+)",  # k3d, followed by nothing or by what it rolls back
    r"^ERROR: (.+)",  # kind, followed by a whole command's output
)
"""Where a reason stands in what a tool says, the most telling first."""
_SECONDS = 60.0
"""Longest that a question may take.

A Minikube in a virtual machine that is just being stopped needs some of it.
"""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a command said."""

    code: int
    """Its exit code; -1: there is no such command, or it did not end in time."""
    text: str
    """Standard output."""
    errors: str
    """Standard error."""

    @property
    def reason(self) -> str:
        """What it said of what went wrong: the reason in it, else its last line."""
        said = self.errors if self.errors.strip() else self.text
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        return reason_in(said) or (lines[-1] if lines else f"exit code {self.code}")

    def object(self) -> dict[str, Any]:
        """Returns the last JSON document; empty when that is no object."""
        return part(self.document())

    def objects(self) -> list[dict[str, Any]]:
        """Returns the objects of the last JSON document, which may be one itself.

        Empty when it holds none.
        """
        told = self.document()
        one = part(told)
        return [one] if one else parts(told)

    def document(self) -> Any:
        """Returns the last JSON document of standard output; None when there is none.

        Minikube writes its errors as a document each, and what was asked for after them; k3d writes
        one; anything else is text between them.
        """
        found: Any = None
        decoder, text = json.JSONDecoder(), self.text
        start = _next_document(text, 0)
        while start >= 0:
            try:
                found, end = decoder.raw_decode(text, start)
            except ValueError:
                end = start + 1
            start = _next_document(text, end)
        return found


def environment() -> dict[str, str]:
    """Returns the environment without what `make env` and `minikube docker-env` put into it.

    A kubeconfig of this clone is not where a tool should look for its context, or write it to; and
    a Minikube's inner Docker has none of the containers that are the nodes.
    """
    result = dict(os.environ)
    files = [it for it in result.get("KUBECONFIG", "").split(os.pathsep) if it]
    own = [it for it in files if not Path(it).is_relative_to(paths.LOCAL)]
    if own != files:
        _put(result, "KUBECONFIG", os.pathsep.join(own))
    if result.get("DOCKER_CONFIG") == str(paths.DOCKER_CONFIG):
        del result["DOCKER_CONFIG"]
        # `make env` puts the builder there, too: buildx builds in no docker context but the current
        # one.
        result.pop("DOCKER_CONTEXT", None)
    if result.pop("MINIKUBE_ACTIVE_DOCKERD", ""):
        # What Minikube keeps of the variables that it replaces (its
        # constants.MinikubeExistingPrefix).
        for name in _DOCKER:
            _put(result, name, result.pop(f"MINIKUBE_EXISTING_{name}", ""))
    return result


def ask(
    command: Sequence[str], *, more: Mapping[str, str] | None = None, seconds: float = _SECONDS
) -> Answer:
    """Runs a short command in the person's environment; a failing one's answer counts, too.

    Args:
        command: The command.
        more: Variables on top.
        seconds: When it is given up.
    """
    try:
        done = subprocess.run(
            list(command),
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            env=environment() | dict(more or {}),
            check=False,
            timeout=seconds,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Answer(code=-1, text="", errors=str(error))
    return Answer(code=done.returncode, text=done.stdout, errors=done.stderr)


def reason_in(text: str) -> str | None:
    """Returns the reason that a tool gives for its failure, often before its last line."""
    for pattern in _REASONS:
        if found := re.findall(pattern, text, re.MULTILINE):
            return str(found[-1]).strip().rstrip(".:")
    return None


def docker_config() -> Path:
    """Returns the folder in which the person's Docker CLI keeps its settings."""
    return Path(environment().get("DOCKER_CONFIG") or paths.home() / ".docker").absolute()


def _next_document(text: str, start: int) -> int:
    """Returns where an object, list or `null` begins, at a line's start or after another; or -1."""
    while start < len(text):
        if text[start] in "{[" or text.startswith("null", start):
            return start
        if text[start].isspace() or text[start] in "}]":
            start += 1
            continue
        # Words: the rest of the line says nothing.
        end = text.find("\n", start)
        start = end + 1 if end >= 0 else len(text)
    return -1


def _put(variables: dict[str, str], name: str, value: str) -> None:
    if value:
        variables[name] = value
    else:
        variables.pop(name, None)
