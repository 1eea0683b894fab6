"""Manifests, validated against the schemas of the oldest and the newest Kubernetes."""

import kubernetes_validate
import pytest

from tests.manifests.conftest import Manifests


@pytest.mark.parametrize("version", ["1.31", "1.34"])
def test_manifests_are_valid(manifests: Manifests, version: str) -> None:
    builtin = [
        manifest
        for objects in manifests.values()
        for manifest in objects
        if "." not in manifest["apiVersion"].partition("/")[0]
        or (".k8s.io/" in manifest["apiVersion"] and "gateway" not in manifest["apiVersion"])
    ]
    assert len(builtin) > 50
    for manifest in builtin:
        kubernetes_validate.validate(manifest, version, strict=True)
