"""What Pulumi's state has of a stack, as `pulumi stack export` prints it."""

from __future__ import annotations

import base64
import json
from typing import Any

from cluster_objects.json_tree import Json, part, parts


def all_resources(state: Json | None) -> list[Json]:
    """Returns everything in a stack's state: the stack itself, components and providers, too."""
    return parts(state, "deployment", "resources")


def resources_in(state: Json | None) -> list[Json]:
    """Returns what a stack has made: no components and no providers."""
    return [
        resource
        for resource in all_resources(state)
        if resource.get("custom") and not resource["type"].startswith("pulumi:")
    ]


def kubernetes_providers(state: Json | None) -> list[Json]:
    """Returns the inputs of the stack's Kubernetes providers."""
    return [
        part(resource, "inputs")
        for resource in all_resources(state)
        if resource["type"] == "pulumi:providers:kubernetes"
    ]


def outputs_in(state: Json | None) -> Json:
    """Returns the stack's outputs, secrets left encrypted."""
    stacks = (it for it in all_resources(state) if it["type"] == "pulumi:pulumi:Stack")
    return part(next(stacks, None), "outputs")


def secret_files(export: Json) -> dict[str, str]:
    """Returns the files of all Secrets in a state exported with its secrets.

    A secret that several services read is in a Secret of each, under the same name.
    """
    found: dict[str, str] = {}
    for resource in all_resources(export):
        if resource["type"] != "kubernetes:core/v1:Secret" or resource.get("delete"):
            continue
        # The provider keeps them in `data`, in base64, where the program says `stringData`.
        inputs = resource["inputs"]
        encoded = "data" in inputs
        if not encoded and "stringData" not in inputs:
            continue  # what is in the cluster fills it (External Secrets' webhook)
        files: dict[str, str] = json.loads(inputs["data" if encoded else "stringData"]["plaintext"])
        found |= {n: base64.b64decode(v).decode() if encoded else v for n, v in files.items()}
    return found


def lost_salt(state: Json | None) -> str | None:
    """Returns the salt in the state, which a stack file can lose (`git checkout`)."""
    salt: Any = part(state, "deployment", "secrets_providers", "state").get("salt")
    return salt
