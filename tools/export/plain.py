"""A stack as plain manifests: a file for each component, and a kustomization."""

from collections.abc import Mapping

from tools.export.content_names import with_content_names
from tools.export.objects import Object, StackObjects
from tools.export.yaml_text import documents, yaml_text

KUSTOMIZATION = "kustomization.yaml"


def component(manifest: Object) -> str:
    """Returns what an object belongs to, by its label `app.kubernetes.io/name`."""
    labels: Mapping[str, str] = manifest["metadata"].get("labels") or {}
    return labels.get("app.kubernetes.io/name") or manifest["metadata"]["name"]


def plain_files(stack: StackObjects) -> dict[str, str]:
    """Returns the files of a stack's plain manifests by their names."""
    parts: dict[str, list[Object]] = {}
    for manifest in with_content_names(stack):
        parts.setdefault(component(manifest), []).append(manifest)
    files = {f"{name}.yaml": documents(map(yaml_text, parts[name])) for name in sorted(parts)}
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": list(files),
    }
    return {KUSTOMIZATION: yaml_text(kustomization), **files}
