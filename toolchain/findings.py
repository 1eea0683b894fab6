"""What `make up` finds out of a stack's cluster, and tells it: `.local/settings.<stack>.json`."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

from cluster_objects.json_tree import Json, part
from distribution.cluster import node
from stack_settings.left_open import is_left_open
from toolchain import environment, paths, whole_file

_WHICH = ("provider", "name", "context")
"""What tells a stack's cluster from all others of this machine."""


def remembered(stack: str) -> dict[str, Any]:
    """Returns the `cluster` that was found out for the stack, as this version writes it."""
    found = environment.found_out(stack)
    cluster = dict(part(found, "cluster"))
    if "provider" not in cluster:
        # An earlier version knew two kinds of clusters, and did not write down which.
        if cluster.get("kubeconfig") == str(node.kubeconfig()):
            cluster["provider"] = "embedded"
        elif "kubeconfig" not in cluster and cluster.get("context"):
            cluster |= {"provider": "minikube", "name": cluster["context"]}
    return cluster


def told(found: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Returns what a stack is told.

    What its file leaves open, and in any case which cluster it is in.

    Args:
        found: What `make up` found out.
        given: The stack's `todo:settings`.
    """
    result = left_open(_to_push(found, given), given)
    named = {key: value for key, value in part(given, "cluster").items() if key in _WHICH}
    which = left_open({key: it for key, it in found["cluster"].items() if key in _WHICH}, named)
    which |= {key: value for key, value in named.items() if not is_left_open(key, value)}
    return {**result, "cluster": which | result.get("cluster", {})}


def _to_push(found: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Returns what was found out for a stack that pushes its images, else all that was found out.

    BuildKit builds for a registry as it does for the cluster beside it, from the same base images;
    a Docker daemon needs to be told more.
    """
    images, builds = part(found, "images"), part(given, "images").get("mode") == "registry"
    if not builds or part(images, "builder").get("exporter") != "image-store":
        return found
    builder = {"name": images["builder"]["name"]}
    bases = {key: it for key, it in images.items() if key == "baseImages"}
    return {**found, "images": {"builder": builder, **bases}}


def left_open(found: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Returns what was found out, without what the stack file says itself.

    A block of another `mode` and a `builder` that is named, or whose exporter is, are choices as a
    whole: nothing is mixed into them. `auto` asks for what is found out.

    Args:
        found: What `make up` found out.
        given: The stack's `todo:settings`, or a block of it.
    """
    if "mode" in found and given.get("mode", found["mode"]) != found["mode"]:
        return {}
    result: dict[str, Any] = {}
    for key, value in found.items():
        block = given.get(key)
        if is_left_open(key, block) or key == "mode":
            result[key] = value
        elif isinstance(block, dict) and isinstance(value, dict):
            inner = cast("Json", block)
            if not _is_builder(key, inner):
                result[key] = left_open(cast("Json", value), inner)
    return {key: value for key, value in result.items() if value != {}}


def _is_builder(key: str, block: dict[str, Any]) -> bool:
    """Returns whether a block says what builds.

    An engine alone (Pulumi's resource) builds wherever that is.
    """
    return key == "builder" and any(block.get(it) is not None for it in ("name", "exporter"))


@contextmanager
def unless_refused(stack: str) -> Generator[None]:
    """Writes down where the stack goes only if the block does not refuse it.

    Until then the stack file contradicts what was found out before, so that `pulumi up` refuses,
    too. Later it would follow what was written, remove the stack from its cluster, and its data
    with it.
    """
    file = paths.machine_settings(stack)
    before = file.read_text(encoding="utf-8") if file.exists() else None
    try:
        yield
    except BaseException:
        if before is not None:
            whole_file.replace(file, before)
        raise


def forget(stack: str) -> bool:
    """Forgets what a stack was told; returns whether there was anything."""
    file = paths.machine_settings(stack)
    known = file.exists()
    file.unlink(missing_ok=True)
    return known


def write(stack: str, found: dict[str, Any]) -> bool:
    """Writes down what a stack is told; returns whether it was told something else before."""
    file = paths.machine_settings(stack)
    text = json.dumps(found, indent=2) + "\n"
    changed = not file.exists() or file.read_text() != text
    if changed:
        paths.LOCAL.mkdir(exist_ok=True)
        whole_file.replace(file, text)
    # One file for all stacks, as it was before: nothing reads it any more.
    (paths.LOCAL / "settings.json").unlink(missing_ok=True)
    return changed
