"""Objects sent to the real API server without being stored."""

import json
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import yaml

from components.todo.secret_table import STORE_SECRETS
from distribution import definitions
from tests.commands import how_it_ended
from tests.e2e.deployment import PROJECT
from tests.programs import run_program, stack_settings
from tests.recording import SECRETS
from tests.waiting import until

# Marks what a run has made, so that the next one removes it should this one be cut off.
_OURS = "todo-e2e"

Manifest = dict[str, Any]


def _kubectl(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["kubectl", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        input=text,
        check=False,
        timeout=900,
    )


def _done(*arguments: str, text: str | None = None) -> str:
    done = _kubectl(*arguments, text=text)
    assert done.returncode == 0, how_it_ended(done)
    return done.stdout


def send(*manifests: Manifest) -> subprocess.CompletedProcess[str]:
    """Returns what `kubectl apply` says to objects, whose namespace has to be there."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
    return _kubectl("apply", "--server-side", "--dry-run=server", "-f", "-", text=text)


def _labelled(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    return json.dumps(
        {**manifest, "metadata": {**metadata, "labels": {**metadata.get("labels", {}), _OURS: ""}}}
    )


def manifests_of(settings: dict[str, Any], namespace: str) -> list[Manifest]:
    """Returns the objects that the program declares, in another namespace than the settings'."""
    own = {**settings.get("namespace", {}), "name": namespace}
    given = {**SECRETS, **{it.config_key: it.name for it in STORE_SECRETS}}
    manifests = run_program({**settings, "namespace": own}, secrets=given).manifests()
    for manifest in manifests:
        # Where the program leaves the name to Pulumi.
        manifest["metadata"].setdefault("name", "named-by-pulumi")
    return manifests


def wait_established(resource: str) -> None:
    """Waits until a definition is served, and kubectl finds its kind.

    `kubectl wait` cannot: it gives up on a definition so new that it has no condition yet.
    """
    condition = "{.status.conditions[?(@.type=='Established')].status}"
    kind = resource.partition("/")[2]

    def is_served() -> bool:
        said = _kubectl("get", resource, "-o", f"jsonpath={condition}").stdout
        # The API server lists a kind among those that it has a little later.
        return said == "True" and not _kubectl("get", kind, "--all-namespaces").returncode

    until(f"{resource} to be served", is_served, 300)


@contextmanager
def scratch_namespace() -> Generator[str]:
    """A namespace as the program declares it, in a cluster that knows every kind of object."""
    name = f"todo-{uuid4().hex[:8]}"
    (declared,) = (
        it for it in manifests_of(stack_settings("cloud"), name) if it["kind"] == "Namespace"
    )
    try:
        for file in definitions.files():
            definition = yaml.safe_load(file.read_text(encoding="utf-8"))
            resource = f"customresourcedefinition/{definition['metadata']['name']}"
            if not _done("get", resource, "--ignore-not-found"):
                _done("create", "-f", "-", text=_labelled(definition))
            wait_established(resource)
        _done("create", "-f", "-", text=_labelled(declared))
        yield name
    finally:
        _done("delete", "namespaces,customresourcedefinitions", "--selector", _OURS)
