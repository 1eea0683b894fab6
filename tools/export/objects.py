"""The objects that a stack's program declares, as somebody else than Pulumi may apply them.

The program runs under the recording engine of the tests, as `make graph` has it run: that needs
neither a cluster nor the stack's state and passphrase, so that no secret is there that could get
out, and it answers for every stack. `pulumi preview` would ask the stack's cluster whose its
objects are, and knows no name that the cluster has still to give.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import pulumi
import yaml

from components.todo.names import ANNOTATION_PREFIX
from components.todo.secret_table import SECRETS, STORE_SECRETS
from console.failure import ExitCode, Failure
from tests.programs import run_program
from tests.recording import DIGEST, GENERATED, ROOT, Recorded, Recording

Object = dict[str, Any]
"""A Kubernetes object."""

_SETTINGS = "todo:settings"
_PROGRAMS_OWN = ("pulumi.com/", f"{ANNOTATION_PREFIX}/", "kubernetes-app-components/")
"""What annotations begin with that only Pulumi, the program and its library read. One says that a
stack of Pulumi made the object, by which the program would take it for its own."""
_MANAGED_BY = "app.kubernetes.io/managed-by"
"""Whoever applies the objects says that himself: Helm does, Argo CD and Flux have labels of their
own."""
_FIRST = ("apiVersion", "kind", "metadata", "name", "namespace")
"""Where people look first; all else follows by its name."""
_KEPT = {
    "argocd.argoproj.io/sync-options": "Delete=false,Prune=false",
    "helm.sh/resource-policy": "keep",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
}
"""What keeps an object that `pulumi destroy` keeps."""
_BASIC_AUTH = "kubernetes.io/basic-auth"
_IMAGES = ("docker-build:index:Image", "docker:index/image:Image")


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A Secret that a person makes, since it is not exported."""

    name: str
    keys: tuple[str, ...]
    role: str | None = None
    """The database's role, whose name and password it has, as an operator wants them."""


@dataclass(frozen=True, kw_only=True)
class StackObjects:
    """What a stack consists of, without its Secrets."""

    stack: str
    namespace: str
    objects: tuple[Object, ...]
    """In the order in which the program declares them, families together."""
    generated: Mapping[str, str]
    """Of each ConfigMap whose name changes with its content: the name that it has here, and what
    its name is to begin with."""
    secrets: tuple[Secret, ...]


def stack_names() -> list[str]:
    """Returns the names of the stacks whose files are in this repository."""
    files = ROOT.glob("Pulumi.*.yaml")
    names = [it.name.removeprefix("Pulumi.").removesuffix(".yaml") for it in files]
    return sorted(it for it in names if _SETTINGS in _configuration(it))


@cache
def stack_objects(stack: str) -> StackObjects:
    """Runs the program for a stack, and returns what it declares.

    Args:
        stack: The name in that of its file, `Pulumi.<stack>.yaml`.

    Raises:
        Failure: There is no such file, it has no settings, or they are wrong.
    """
    return objects_of(_run(stack), stack)


def objects_of(recording: Recording, stack: str) -> StackObjects:
    """Returns what a run of the program for a stack has declared."""
    objects = [it for it in recording.resources if _is_object(it)]
    secrets = [it for it in objects if it.kind == "Secret"]
    named = {
        **{_name(it): it.name for it in secrets if it.kubernetes_name is None},
        **{by_digest: tagged for it in recording.resources for by_digest, tagged in _image(it)},
    }
    exported = [it for it in objects if it not in secrets]
    return StackObjects(
        stack=stack,
        namespace=recording.outputs["namespace"],
        objects=tuple(replaced(_plain(it), named) for it in exported),
        generated={_name(it): it.name for it in exported if it.kubernetes_name is None},
        secrets=tuple(map(_secret, secrets)),
    )


def _secret(resource: Recorded) -> Secret:
    values: Mapping[str, str] = resource.inputs["stringData"]
    return Secret(
        name=resource.kubernetes_name or resource.name,
        keys=tuple(sorted(values)),
        role=values["username"] if resource.inputs.get("type") == _BASIC_AUTH else None,
    )


def _configuration(stack: str) -> Mapping[str, Any]:
    """Returns what a stack's file configures.

    Raises:
        Failure: There is no such file.
    """
    try:
        text = (ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Failure(
            f"There is no stack file Pulumi.{stack}.yaml; choose STACK.", ExitCode.USAGE
        ) from None
    configured: dict[str, Any] = yaml.safe_load(text) or {}
    return configured.get("config") or {}


def _run(stack: str) -> Recording:
    """Runs the program with the stack's settings, and words in place of the secrets that it has.

    Raises:
        Failure: The stack has no settings, or they are wrong.
    """
    given = _configuration(stack)
    if _SETTINGS not in given:
        raise Failure(
            f"Pulumi.{stack}.yaml has no {_SETTINGS}; copy it from Pulumi.minikube.yaml or "
            "Pulumi.cloud.yaml, then run again."
        )
    own = [it for it in SECRETS if it.required or it.config_key in given]
    # Of those of an object store the program asks for what the settings' own needs.
    keys = [it.config_key for it in (*own, *STORE_SECRETS)]
    try:
        return run_program(given[_SETTINGS], stack=stack, secrets=dict.fromkeys(keys, "withheld"))
    except pulumi.RunError as error:
        raise Failure(f"Pulumi.{stack}.yaml: {error}; correct it and run again.") from None


def _is_object(resource: Recorded) -> bool:
    return resource.type.startswith("kubernetes:") and "apiVersion" in resource.inputs


def _name(resource: Recorded) -> str:
    return resource.kubernetes_name or f"{resource.name}{GENERATED}"


def _image(resource: Recorded) -> Sequence[tuple[str, str]]:
    """Returns an image by the digest that nobody knows before it is pushed, and by its tag."""
    if resource.type not in _IMAGES:
        return ()
    tags: Sequence[str] = resource.inputs.get("tags") or [resource.inputs.get("imageName", "")]
    return [(f"{tag.rpartition(':')[0]}@{DIGEST}", tag) for tag in tags]


def _plain(resource: Recorded) -> Object:
    """Returns an object with what is Pulumi's taken out, and what keeps it put in."""
    result = cast("Object", _tidied(resource.inputs))
    metadata: Object = {"name": _name(resource), **result["metadata"]}
    given: dict[str, str] = metadata.pop("annotations", None) or {}
    annotations = {k: v for k, v in given.items() if not k.startswith(_PROGRAMS_OWN)}
    if resource.retain_on_delete or resource.protect:
        annotations |= _KEPT
    if annotations:
        metadata["annotations"] = annotations
    return {**result, "metadata": metadata}


def _tidied(tree: object) -> object:
    """Returns a tree in an order that stays, without the label that says who manages an object."""
    if isinstance(tree, dict):
        entries = cast("dict[str, object]", tree)
        keys = sorted(entries.keys() - {_MANAGED_BY}, key=lambda it: (it not in _FIRST, it))
        return {key: _tidied(entries[key]) for key in keys}
    if isinstance(tree, list):
        return [_tidied(it) for it in cast("list[object]", tree)]
    return tree


def replaced(tree: Any, by: Mapping[str, str]) -> Any:
    """Returns a tree with other texts in place of some, wherever these stand alone."""
    if isinstance(tree, dict):
        entries = cast("dict[str, Any]", tree).items()
        return {key: replaced(it, by) for key, it in entries}
    if isinstance(tree, list):
        return [replaced(it, by) for it in cast("list[Any]", tree)]
    return by.get(tree, tree) if isinstance(tree, str) else tree
