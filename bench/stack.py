"""A stack of its own for measuring, in a copy of the project and a namespace of its own.

The stack that is deployed is only read: its images, and the settings that `make up` found out.
"""

import json
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from bench.manifests import delete_namespace
from bench.state import own_state
from bench.timing import command
from components.todo.secret_table import SECRETS

PROJECT = Path(__file__).resolve().parent.parent
_NAMESPACE = "todo-bench"
_PORTS = {"frontend": 30890, "backend": 30891}
# The deployed stack, this one and kubectl's copy of it have to fit on a node of two cores.
_LITTLE = {"cpuRequest": "20m", "cpuLimit": "500m", "memoryRequest": "64Mi", "memoryLimit": "512Mi"}


@dataclass(frozen=True, kw_only=True)
class BenchStack:
    """A stack that may be deployed and destroyed at will."""

    project: Path
    name: str
    namespace: str

    def pulumi(self, *arguments: str) -> str:
        """Runs a Pulumi command on the stack, and returns what it prints."""
        return command("pulumi", *arguments, "--stack", self.name, cwd=self.project)

    def objects(self) -> list[dict[str, Any]]:
        """Returns the Kubernetes objects of the last update, as `kubectl apply` takes them."""
        export = json.loads(self.pulumi("stack", "export", "--show-secrets"))
        found: list[dict[str, Any]] = []
        for resource in export["deployment"]["resources"]:
            inputs = _opened(resource.get("inputs") or {})
            if resource["type"].startswith("kubernetes:") and "apiVersion" in inputs:
                inputs["metadata"].setdefault(
                    "name", _opened(resource["outputs"])["metadata"]["name"]
                )
                found.append({k: v for k, v in inputs.items() if not k.startswith("__")})
        return found


@contextmanager
def bench_stack(like: str) -> Generator[BenchStack]:
    """Makes a stack with the settings of a deployed one, and removes it with all that it made.

    Args:
        like: Name of the deployed stack; its cluster is used, and its images.
    """
    outputs = json.loads(command("pulumi", "stack", "output", "--json", "--stack", like))
    with own_state() as project:
        ignored = shutil.ignore_patterns(".git", ".local", ".venv", "node_modules", ".next")
        shutil.copytree(PROJECT, project, ignore=ignored, dirs_exist_ok=True)
        (project / ".venv").symlink_to(PROJECT / ".venv")
        (project / ".local").mkdir()
        found = json.loads((PROJECT / f".local/settings.{like}.json").read_text())
        (project / ".local/settings.bench.json").write_text(
            # Not the images: those are built already.
            json.dumps({key: found[key] for key in ("cluster", "database") if key in found})
        )
        given = yaml.safe_load((PROJECT / f"Pulumi.{like}.yaml").read_text())
        settings = _settings(given["config"]["todo:settings"], outputs["images"])
        (project / "Pulumi.bench.yaml").write_text(
            yaml.safe_dump({"config": {"todo:settings": settings}})
        )
        stack = BenchStack(project=project, name="bench", namespace=_NAMESPACE)
        try:
            stack.pulumi("stack", "init")
            for secret in SECRETS:
                if secret.required:
                    value = "0123456789abcdef" * 3
                    stack.pulumi("config", "set", "--secret", secret.config_key, value)
            yield stack
        finally:
            remove(stack)


def remove(stack: BenchStack) -> None:
    """Removes all that the stack made, the namespace that `pulumi destroy` keeps included."""
    stack.pulumi("destroy", "--yes", "--skip-preview")
    delete_namespace(stack.namespace)


def _settings(given: dict[str, Any], images: dict[str, str]) -> dict[str, Any]:
    """Returns a stack's settings for a small copy of it, of the images that it has."""
    apps = {
        app: {
            **given.get(app, {}),
            "exposure": {"mode": "nodePort", "port": port},
            "resources": _LITTLE,
        }
        for app, port in _PORTS.items()
    }
    return {
        **given,
        **apps,
        "namespace": {"name": _NAMESPACE},
        "images": {"mode": "prebuilt", **{app: images[app] for app in apps}},
        "database": {**given["database"], "resources": _LITTLE},
    }


def _opened(value: object) -> Any:
    """Returns plain values for those that the state marks as secrets."""
    if isinstance(value, dict):
        tree = cast("dict[str, Any]", value)
        if "plaintext" in tree:
            return json.loads(tree["plaintext"])
        return {key: _opened(inner) for key, inner in tree.items()}
    if isinstance(value, list):
        return [_opened(inner) for inner in cast("list[Any]", value)]
    return value
