"""CustomResourceDefinitions that a managed cluster brings, for the tests of the cloud stacks.

They are files of published Go modules, whose versions and sums are pinned in `modules/definitions`.
"""

from __future__ import annotations

from pathlib import Path

from distribution import golang

MODULE = "definitions"
FILES = {
    "github.com/cert-manager/cert-manager": ("deploy/crds/cert-manager.io_certificates.yaml",),
    "github.com/cloudnative-pg/cloudnative-pg": (
        "config/crd/bases/postgresql.cnpg.io_clusters.yaml",
        "config/crd/bases/postgresql.cnpg.io_scheduledbackups.yaml",
    ),
    "sigs.k8s.io/gateway-api": ("config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",),
    "github.com/external-secrets/external-secrets": (
        "config/crds/bases/external-secrets.io_externalsecrets.yaml",
    ),
    "github.com/prometheus-operator/prometheus-operator": (
        "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
    ),
}


def files() -> list[Path]:
    """Returns one file for each kind of object that stacks may have and Kubernetes has not.

    Raises:
        Failure: A module cannot be fetched.
    """
    return [
        golang.module_file(module, file, pinned_in=MODULE)
        for module, inside in FILES.items()
        for file in inside
    ]
