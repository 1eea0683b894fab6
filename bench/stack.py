"""A stack of its own for measuring, in a copy of the project and a namespace of its own.

The stack that is deployed is only read: its images, and the settings that `make up` found out.
"""

import json
import shutil
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from bench import namespaces, small_settings
from bench.cluster import only_cluster
from bench.commands import command
from bench.state import nothing_deployed, own_state
from components.todo.secret_table import SECRETS

PROJECT = Path(__file__).resolve().parent.parent
WORKLOADS = ("statefulset/postgres", "deployment/backend", "deployment/frontend")
"""What has to be ready before the application is."""


@dataclass(frozen=True, kw_only=True)
class BenchStack:
    """A stack that may be deployed and destroyed at will."""

    project: Path
    """The copy, whose files may be edited."""
    like: str
    """Name of the deployed stack that it resembles."""
    found: Mapping[str, Any]
    """What `make up` found out for that one."""
    given: Mapping[str, Any]
    """That one's `todo:settings`."""
    environment: Mapping[str, str]
    """By which Pulumi finds its state."""
    person: Mapping[str, str]
    """Variables as they are for whoever runs this, where they differ from the run's own."""
    name: str = "bench"
    namespace: str = namespaces.STACK

    def pulumi(self, *arguments: str) -> str:
        """Runs a Pulumi command on the stack, and returns what it prints."""
        return self._run("pulumi", *arguments, "--stack", self.name)

    def up(self) -> None:
        """Deploys it."""
        self.pulumi("up", "--yes", "--skip-preview")

    def ops(self, *arguments: str) -> str:
        """Runs a command of the operations CLI on the stack, and returns what it prints."""
        return self._run(sys.executable, "-m", "ops", "--stack", self.name, *arguments)

    def kubectl(self, *arguments: str) -> str:
        """Runs kubectl in the stack's namespace, and returns what it prints."""
        return command("kubectl", "--namespace", self.namespace, *arguments)

    def output(self, name: str) -> str:
        """Returns an output of the last update."""
        return self.pulumi("stack", "output", name).strip()

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

    def tell_what_was_found(self) -> None:
        """Tells it of cluster and database; of the images it has its own settings."""
        told = {key: it for key, it in self.found.items() if key != "images"}
        file = self.project / f".local/settings.{self.name}.json"
        file.write_text(json.dumps(told), encoding="utf-8")

    @contextmanager
    def changed(self, change: Callable[[dict[str, Any]], None]) -> Generator[None]:
        """Deploys it with other settings; puts the stack file back, and deploys that, at the end.

        Args:
            change: Changes the tree of `todo:settings`.
        """
        file = self.project / f"Pulumi.{self.name}.yaml"
        before = file.read_text(encoding="utf-8")
        document = yaml.safe_load(before)
        change(document["config"]["todo:settings"])
        file.write_text(yaml.safe_dump(document), encoding="utf-8")
        try:
            self.up()
            yield
        finally:
            file.write_text(before, encoding="utf-8")
        self.up()

    def remove(self) -> None:
        """Removes all that it made, and what Pulumi remembers of it.

        All of it is in its namespace, which is quicker than `pulumi destroy`, and is gone even
        where an update was broken off.
        """
        namespaces.delete_namespace(self.namespace)
        importing = ("pulumi", "stack", "import", "--force", "--stack", self.name)
        self._run(*importing, text=nothing_deployed())

    def _run(self, *arguments: str, text: str | None = None) -> str:
        return command(*arguments, cwd=self.project, environment=self.environment, text=text)


@contextmanager
def bench_stack(like: str) -> Generator[BenchStack]:
    """Makes a stack with the settings of a deployed one, and removes it with all that it made.

    Args:
        like: Name of the deployed stack; its cluster is used, and its images.
    """
    given, found = _given(like), _found(like)
    outputs = json.loads(command("pulumi", "stack", "output", "--json", "--stack", like))
    with only_cluster(outputs) as person, own_state() as state:
        namespaces.require_none()
        _copy_project(state.folder)
        stack = BenchStack(
            project=state.folder,
            like=like,
            found=found,
            given=given,
            environment=state.environment,
            person=person,
        )
        stack.tell_what_was_found()
        settings = small_settings.settings(given, outputs["images"])
        text = yaml.safe_dump({"config": {"todo:settings": settings}})
        (state.folder / f"Pulumi.{stack.name}.yaml").write_text(text, encoding="utf-8")
        stack.pulumi("stack", "init")
        for secret in SECRETS:
            if secret.required:
                value = "0123456789abcdef" * 3
                stack.pulumi("config", "set", "--secret", secret.config_key, value)
        try:
            yield stack
        finally:
            namespaces.delete_namespace(stack.namespace)


def _copy_project(folder: Path) -> None:
    """Copies the project without what is made in it; its Python environment is shared."""
    ignored = shutil.ignore_patterns(".git", ".local", ".venv", "node_modules", ".next")
    shutil.copytree(PROJECT, folder, ignore=ignored, dirs_exist_ok=True)
    (folder / ".venv").symlink_to(PROJECT / ".venv")
    (folder / ".local").mkdir()


def _given(stack: str) -> dict[str, Any]:
    """Returns a stack's `todo:settings` as its file has them."""
    try:
        text = (PROJECT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SystemExit(f"There is no stack file Pulumi.{stack}.yaml; choose STACK.") from None
    return yaml.safe_load(text)["config"]["todo:settings"]


def _found(stack: str) -> dict[str, Any]:
    """Returns what `make up` found out for a stack."""
    try:
        return json.loads((PROJECT / f".local/settings.{stack}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SystemExit(
            f"Stack {stack} is not deployed to a local cluster from here; run `make up` first."
        ) from None


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
