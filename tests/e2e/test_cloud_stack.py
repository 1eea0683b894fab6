"""The cloud stack, sent to the real API server without being stored: every object is accepted."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import yaml

from tests.e2e.deployment import PROJECT
from tests.programs import provider_settings, run_program, stack_settings
from toolchain import definitions

STACKS = {"cloud": stack_settings("cloud"), **provider_settings()}
MISSPELT = {
    "HTTPRoute": ("hostnames", "hostNames"),
    "ExternalSecret": ("refreshInterval", "refreshPeriod"),
    "ServiceMonitor": ("interval", "period"),
    "NetworkPolicy": ("policyTypes", "policyType"),
}
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
        timeout=120,
    )


def _done(*arguments: str, text: str | None = None) -> str:
    done = _kubectl(*arguments, text=text)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _send(*manifests: Manifest) -> subprocess.CompletedProcess[str]:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
    return _kubectl("apply", "--server-side", "--dry-run=server", "-f", "-", text=text)


def _labelled(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    return json.dumps(
        {**manifest, "metadata": {**metadata, "labels": {**metadata.get("labels", {}), _OURS: ""}}}
    )


def _manifests(settings: dict[str, Any], namespace: str) -> list[Manifest]:
    return run_program({**settings, "namespace": {"name": namespace}}).manifests()


def _wait_established(resource: str) -> None:
    """`kubectl wait` cannot: it gives up on a definition so new that it has no condition yet."""
    condition = "{.status.conditions[?(@.type=='Established')].status}"
    for _ in range(60):
        if _done("get", resource, "-o", f"jsonpath={condition}") == "True":
            return
        time.sleep(1)
    pytest.fail(f"{resource} is not served a minute after it was created")


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    """A namespace as the program declares it, in a cluster that knows every kind of object."""
    name = f"todo-{uuid4().hex[:8]}"
    (declared,) = (it for it in _manifests(STACKS["cloud"], name) if it["kind"] == "Namespace")
    try:
        for file in definitions.files():
            definition = yaml.safe_load(file.read_text(encoding="utf-8"))
            resource = f"customresourcedefinition/{definition['metadata']['name']}"
            if not _done("get", resource, "--ignore-not-found"):
                _done("create", "-f", "-", text=_labelled(definition))
            _wait_established(resource)
        _done("create", "-f", "-", text=_labelled(declared))
        yield name
    finally:
        _done("delete", "namespaces,customresourcedefinitions", "--selector", _OURS)


@pytest.mark.parametrize("stack", STACKS)
def test_every_object_is_accepted_without_a_warning(stack: str, namespace: str) -> None:
    manifests = _manifests(STACKS[stack], namespace)
    done = _send(*manifests)
    assert done.stderr == ""
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == len(manifests)


@pytest.mark.parametrize("kind", MISSPELT)
def test_a_misspelt_field_is_refused(kind: str, namespace: str) -> None:
    manifest = next(it for it in _manifests(STACKS["cloud"], namespace) if it["kind"] == kind)
    right, wrong = MISSPELT[kind]
    text = json.dumps(manifest)
    assert f'"{right}"' in text
    done = _send(json.loads(text.replace(f'"{right}"', f'"{wrong}"')))
    assert done.returncode != 0
    # Which one says so, kubectl or the API server, depends on the age of the definition.
    assert re.search("unknown field|field not declared in schema", done.stderr)
    assert wrong in done.stderr


def test_a_pod_outside_the_restricted_standard_is_warned_of(namespace: str) -> None:
    manifests = _manifests(STACKS["cloud"], namespace)
    deployment = next(it for it in manifests if it["kind"] == "Deployment")
    deployment["spec"]["template"]["spec"]["hostNetwork"] = True
    done = _send(deployment)
    assert 'would violate PodSecurity "restricted' in done.stderr
