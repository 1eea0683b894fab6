"""The cloud stack, sent to the real API server without being stored: every object is accepted."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.e2e.dry_run import manifests_of, scratch_namespace, send
from tests.programs import provider_settings, stack_settings

STACKS = {"cloud": stack_settings("cloud"), **provider_settings()}
MISSPELT = {
    "HTTPRoute": ("hostnames", "hostNames"),
    "ExternalSecret": ("refreshInterval", "refreshPeriod"),
    "ServiceMonitor": ("interval", "period"),
    "NetworkPolicy": ("policyTypes", "policyType"),
}


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    with scratch_namespace() as name:
        yield name


@pytest.mark.parametrize("stack", STACKS)
def test_every_object_is_accepted_without_a_warning(stack: str, namespace: str) -> None:
    manifests = manifests_of(STACKS[stack], namespace)
    done = send(*manifests)
    assert done.stderr == ""
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == len(manifests)


@pytest.mark.parametrize("kind", MISSPELT)
def test_a_misspelt_field_is_refused(kind: str, namespace: str) -> None:
    manifest = next(it for it in manifests_of(STACKS["cloud"], namespace) if it["kind"] == kind)
    right, wrong = MISSPELT[kind]
    text = json.dumps(manifest)
    assert f'"{right}"' in text
    done = send(json.loads(text.replace(f'"{right}"', f'"{wrong}"')))
    assert done.returncode != 0
    # Which one says so, kubectl or the API server, depends on the age of the definition.
    assert re.search("unknown field|field not declared in schema", done.stderr)
    assert wrong in done.stderr


def test_a_pod_outside_the_restricted_standard_is_warned_of(namespace: str) -> None:
    manifests = manifests_of(STACKS["cloud"], namespace)
    deployment = next(it for it in manifests if it["kind"] == "Deployment")
    deployment["spec"]["template"]["spec"]["hostNetwork"] = True
    done = send(deployment)
    assert 'would violate PodSecurity "restricted' in done.stderr
