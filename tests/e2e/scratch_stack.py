"""A second, small stack beside the deployed one, in a copy of the project and a namespace alone."""

import json
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

from tests.commands import how_it_ended
from tests.e2e.deployment import PROJECT, Deployment

_ONE = {"mode": "fixed", "replicas": 1}
_LITTLE = {"cpuRequest": "5m", "cpuLimit": "1", "memoryRequest": "64Mi", "memoryLimit": "512Mi"}


@contextmanager
def scratch_stack(
    like: Deployment, folder: Path, name: str, ports: tuple[int, int], **database: Any
) -> Generator[Deployment]:
    """Yields a stack that is not deployed yet; afterwards its namespace is gone.

    Args:
        like: The deployed stack, whose cluster and images it has.
        folder: Where the copy of the project is made, which has the stack's state, too.
        name: What its name and its namespace begin with.
        ports: Node ports of frontend and backend.
        database: Settings of the database besides what it runs.
    """
    copy = folder / "project"
    ignored = shutil.ignore_patterns(".git", ".local", ".venv", "node_modules", ".next")
    shutil.copytree(PROJECT, copy, ignore=ignored)
    (copy / ".venv").symlink_to(PROJECT / ".venv")
    # In the project's own folder, so that whoever goes on after a killed update may let go of its
    # lock also where not all of the machine's processes are seen (ops/release/interruption.py).
    states = copy / ".local" / "pulumi"
    states.mkdir(parents=True)
    own = {"PULUMI_BACKEND_URL": states.as_uri()}
    stack = Deployment(project=copy, stack=f"{name}-{uuid4().hex[:8]}", own=own)
    source = PROJECT / ".local" / f"settings.{like.stack}.json"
    if source.exists():
        shutil.copy2(source, _found(stack))
    given = yaml.safe_load((PROJECT / f"Pulumi.{like.stack}.yaml").read_text())
    settings = given["config"]["todo:settings"] | {
        app: {
            "scaling": _ONE,
            "resources": _LITTLE,
            "exposure": {"mode": "nodePort", "port": port},
        }
        for app, port in zip(("frontend", "backend"), ports, strict=True)
    }
    settings["namespace"] = {"name": stack.stack}
    settings["database"] = {"mode": "inCluster", "resources": _LITTLE, **database}
    stack_file(stack).write_text(yaml.safe_dump({"config": {"todo:settings": settings}}))
    _done(stack, "stack", "init")
    try:
        for secret in ("databasePassword", "jwtKey"):
            _done(stack, "config", "set", "--secret", f"todo:{secret}", uuid4().hex * 2)
        yield stack
    finally:
        stack.pulumi("destroy", "--yes", "--skip-preview")
        like.try_kubectl("delete", "namespace", stack.stack, "--ignore-not-found")


def stack_file(stack: Deployment) -> Path:
    """Returns the stack's file with its settings."""
    return stack.project / f"Pulumi.{stack.stack}.yaml"


def set_database_image(stack: Deployment, image: str) -> str:
    """Has a stack want another image of its database; returns the one that it wanted."""
    found = json.loads(_found(stack).read_text())
    former = found["database"]["image"]
    found["database"]["image"] = image
    _found(stack).write_text(json.dumps(found))
    return former


def _found(stack: Deployment) -> Path:
    return stack.project / ".local" / f"settings.{stack.stack}.json"


def _done(stack: Deployment, *arguments: str) -> None:
    done = stack.pulumi(*arguments)
    assert done.returncode == 0, how_it_ended(done)
