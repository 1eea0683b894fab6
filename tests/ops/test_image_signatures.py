"""What `validate` says of the signatures of the images that run."""

import copy
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ops.facts import Facts
from ops.findings import Finding
from ops.image_signatures import signatures
from tests.ops.stacks import EXAMPLE, deployed

BACKEND = f"registry.example.com/shop/backend@sha256:{'1' * 64}"
SIGNATURE = {"publicKey": "the public key", "caBundle": None}


@pytest.fixture
def cosign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on PATH for a cosign of the test's."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return tmp_path / "cosign"


def says(cosign: Path, script: str) -> None:
    cosign.write_text(f"#!/bin/sh\n{script}\n")
    cosign.chmod(0o755)


def found(image: str = BACKEND, *, signature: object = SIGNATURE) -> list[Finding]:
    services = copy.deepcopy(EXAMPLE["services"])
    services[0]["signature"] = signature
    facts = Facts(deployed(services=services), cast("Any", SimpleNamespace()))
    labels = {"app": "backend"}
    pod = {"containers": [{"name": "backend", "image": image}]}
    # What a mesh has put beside it is not the stack's.
    proxy = {"name": "proxy", "image": "proxy:1"}
    workload = {"spec": {"selector": {"matchLabels": labels}, "template": {"spec": pod}}}
    running = {"metadata": {"labels": labels}, "spec": {"containers": [*pod["containers"], proxy]}}
    vars(facts).update(pods=[running], workloads={"backend": workload})
    return list(signatures(facts))


def test_nothing_is_said_of_images_that_need_no_signature(cosign: Path) -> None:
    assert found(signature=None) == []


def test_every_image_is_looked_at_with_its_bill_of_materials(cosign: Path) -> None:
    asked = cosign.parent / "asked"
    says(cosign, f'echo "$1 $IMAGE_PUBLIC_KEY ${{*##* }}" >> {asked}')
    (finding,) = found()
    assert finding.state == "ok"
    assert asked.read_text().splitlines() == [
        f"verify the public key {BACKEND}",
        f"verify-attestation the public key {BACKEND}",
    ]


@pytest.mark.parametrize("refused", ["verify", "verify-attestation"])
def test_an_image_without_the_signature_is_a_failure(cosign: Path, refused: str) -> None:
    error = "error during command execution: no matching attestations: failed to verify signature"
    says(cosign, f'[ "$1" != {refused} ] || {{ echo "{error}" >&2; exit 1; }}')
    (finding,) = found()
    assert finding.state == "failed"
    assert BACKEND in finding.detail


def test_a_registry_that_does_not_answer_is_no_proof_against_an_image(cosign: Path) -> None:
    says(cosign, 'echo "error during command execution: UNAUTHORIZED" >&2; exit 1')
    (finding,) = found()
    assert (finding.state, finding.cause) == (
        "warning",
        "cosign could not ask the registry: UNAUTHORIZED",
    )


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("GET https://r.example.com/v2/: UNAUTHORIZED: authentication required", "docker login"),
        ("GET https://r.example.com/token: DENIED: denied", "docker login"),
        ("tls: failed to verify certificate: x509: certificate signed by unknown", "caBundle"),
        ("dial tcp: lookup r.example.com: no such host", "reaches the registry"),
        ("dial tcp 10.1.2.3:443: connect: connection refused", "reaches the registry"),
    ],
)
def test_what_keeps_the_registry_from_being_asked_has_its_own_advice(
    cosign: Path, said: str, advice: str
) -> None:
    says(cosign, f'echo "error during command execution: {said}" >&2; exit 1')
    (finding,) = found()
    assert finding.state == "warning"
    assert advice in finding.command


@pytest.mark.parametrize(
    "said",
    [
        "no signatures found",
        f"GET {BACKEND}: MANIFEST_UNKNOWN: manifest unknown",
        "entity not found in registry, error: 404 Not Found",
    ],
)
def test_an_image_that_its_registry_has_lost_is_a_failure(cosign: Path, said: str) -> None:
    says(cosign, f'echo "error during command execution: {said}" >&2; exit 1')
    (finding,) = found()
    assert finding.state == "failed"
    assert "the registry has lost it" in finding.cause
    assert finding.command.startswith("pulumi up --refresh")


def test_without_cosign_nothing_is_looked_at_and_that_is_said(cosign: Path) -> None:
    (finding,) = found()
    assert finding.state == "warning"
    assert "cosign is not installed" in finding.cause


def test_an_image_by_tag_is_a_failure_whoever_signed_it(cosign: Path) -> None:
    says(cosign, "exit 0")
    (finding,) = found("registry.example.com/shop/backend:1")
    assert finding.state == "failed"
