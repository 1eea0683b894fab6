"""A Pulumi state of its own, so that no stack of a measurement gets among a person's."""

import json
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.commands import command


@dataclass(frozen=True, kw_only=True)
class State:
    """A place of its own for Pulumi."""

    folder: Path
    """An empty folder, for a project."""
    environment: Mapping[str, str]
    """The variables by which Pulumi finds the state, and its passphrase."""


@contextmanager
def own_state() -> Generator[State]:
    """Makes an empty state; it and the folder beside it are gone at the end."""
    with _elsewhere() as (folder, backend):
        # This one wins over a file with a person's passphrase.
        passphrase = {"PULUMI_CONFIG_PASSPHRASE": "of stacks that live for some minutes"}
        yield State(folder=folder, environment={**backend, **passphrase})


@contextmanager
def copied_state(project: Path, stack: str) -> Generator[Mapping[str, str]]:
    """Copies a stack's state; returns the variables with which Pulumi takes the copy for it.

    Args:
        project: The stack's project, in which nothing is written.
        stack: The stack's name.
    """
    state = command("pulumi", "stack", "export", "--stack", stack, cwd=project)
    with _elsewhere() as (folder, backend):
        for name in ("Pulumi.yaml", f"Pulumi.{stack}.yaml"):
            shutil.copyfile(project / name, folder / name)
        of = ("--stack", stack)
        command("pulumi", "stack", "init", *of, cwd=folder, environment=backend)
        command("pulumi", "stack", "import", *of, cwd=folder, environment=backend, text=state)
        yield backend


@contextmanager
def _elsewhere() -> Generator[tuple[Path, dict[str, str]]]:
    with TemporaryDirectory(prefix="todo-bench-") as name:
        folder, state = Path(name, "project"), Path(name, "state")
        folder.mkdir()
        state.mkdir()
        yield folder, {"PULUMI_BACKEND_URL": state.as_uri()}


def nothing_deployed() -> str:
    """Returns the state of a stack that has nothing, as `pulumi stack import` takes it."""
    return json.dumps({"version": 3, "deployment": {"manifest": {}, "resources": []}})
