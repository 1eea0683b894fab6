"""Whether what Pulumi remembers is there and ready, and whether the application answers."""

from __future__ import annotations

import http.client
import urllib.error
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cluster_objects.json_tree import Json, part, parts
from components.todo.names import INSTANCE, LOADED_IMAGES
from console.waiting import last_answer
from toolchain import environment, https
from toolchain.kubectl import Kubectl, KubectlError, Object, is_installed
from toolchain.readiness import WORKLOADS, is_ready
from toolchain.state import all_resources

ANSWER_TIMEOUT_SECONDS = 60.0
"""How long pods that Pulumi has seen ready may take until a node's port leads to them."""
NO_CONNECTION = "no connection"
_NO_IMAGE = {"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull"}


@dataclass(frozen=True, kw_only=True)
class MissingObjects:
    """What a cluster has no more, though the stack's state says so."""

    objects: tuple[str, ...]
    """Kind and name of Kubernetes objects.

    Images the program itself looks after (components/image/node_images.py).
    """

    def __bool__(self) -> bool:
        """Returns whether anything is missing."""
        return bool(self.objects)

    def __str__(self) -> str:
        """Returns what is missing, in words."""
        count = len(self.objects)
        named = ", ".join(self.objects[:3]) + (" …" if count > 3 else "")
        return f"{count} object{'' if count == 1 else 's'} ({named})"


@dataclass(frozen=True, kw_only=True)
class Looked:
    """How a cluster has what the stack's state says."""

    missing: MissingObjects
    unready: tuple[str, ...]
    """Kind and name of workloads that nobody can say to be ready, the missing ones included."""


@dataclass(frozen=True, kw_only=True)
class _Object:
    """An object of the state, and what there is of it."""

    kind: str
    name: str
    known: bool
    """Whether the cluster has answered."""
    found: Json | None

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def look(stack: str, export: dict[str, Any] | None, outputs: dict[str, Any]) -> Looked:
    """Returns which objects of the stack's state its cluster has not, or has but not ready.

    None are missing where the cluster does not answer, which `pulumi up` says better.

    Args:
        stack: The stack's name.
        export: Its state, as `pulumi stack export` prints it; None: there is no such stack.
        outputs: Its outputs, which say where its cluster is.
    """
    resources = [it for it in all_resources(export) if not it.get("delete")]
    objects = _objects(stack, resources, outputs)
    missing = MissingObjects(objects=tuple(str(it) for it in objects if it.known and not it.found))
    workloads = [it for it in objects if it.kind in WORKLOADS]
    unready = tuple(str(it) for it in workloads if not it.found or not is_ready(it.found))
    return Looked(missing=missing, unready=unready)


def _objects(stack: str, resources: list[dict[str, Any]], outputs: dict[str, Any]) -> list[_Object]:
    """Returns the Kubernetes objects of a state, each with what the cluster has of it."""
    wanted: dict[str, set[tuple[str, str]]] = {}
    for resource in resources:
        inputs = part(resource, "outputs")
        metadata = part(inputs, "metadata")
        if not resource["type"].startswith("kubernetes:") or not metadata.get("name"):
            continue
        group, _, version = str(inputs["apiVersion"]).rpartition("/")
        kind = f"{inputs['kind']}.{version}.{group}"
        where = "" if inputs["kind"] == "Namespace" else str(metadata.get("namespace") or "")
        wanted.setdefault(where, set()).add((kind, str(metadata["name"])))
    with ThreadPoolExecutor() as beside:
        asked = [
            beside.submit(_in_namespace, stack, outputs, namespace, objects)
            for namespace, objects in sorted(wanted.items())
        ]
    return [it for answer in asked for it in answer.result()]


def _in_namespace(
    stack: str, outputs: dict[str, Any], namespace: str, objects: set[tuple[str, str]]
) -> list[_Object]:
    kinds = sorted({kind for kind, _ in objects})
    where = ["--namespace", namespace] if namespace else []
    items = _items(stack, outputs, ",".join(kinds), *where)
    present = {(item["kind"], item["metadata"]["name"]): item for item in items or ()}
    named = [(kind.partition(".")[0], name) for kind, name in sorted(objects)]
    return [
        _Object(kind=kind, name=name, known=items is not None, found=present.get((kind, name)))
        for kind, name in named
    ]


def retry_images(stack: str, outputs: dict[str, Any]) -> None:
    """Makes pods that wait for an image which is there again start at once.

    After an update that ended well, the images that the outputs name are on every node. The kubelet
    tries again after up to five minutes (https://kubernetes.io/docs/concepts/containers/images/); a
    new pod tries now. What such a pod would run has never started, so deleting it loses nothing.
    Other pods in the namespace are not the stack's to delete, whatever they wait for.
    """
    namespace = str(outputs.get("namespace", ""))
    where = ("--namespace", namespace)
    waited_for = {
        item["metadata"]["name"]: refused
        for item in _items(stack, outputs, "pods", *where) or ()
        if _is_own(item["metadata"]) and (refused := _refused_images(item))
    }
    there = {str(image) for image in part(outputs, "images").values()}
    waiting = [name for name, refused in waited_for.items() if refused <= there]
    if waiting:
        with suppress(KubectlError):
            _kubectl(stack, outputs)("--request-timeout=15s", "delete", "pods", *where, *waiting)


def _is_own(metadata: dict[str, Any]) -> bool:
    """Returns whether a pod is of one of the stack's workloads, which would make it again."""
    labels = part(metadata, "labels")
    return bool(metadata.get("ownerReferences")) and all(
        labels.get(f"app.kubernetes.io/{label}") == INSTANCE for label in ("part-of", "instance")
    )


def _refused_images(pod: dict[str, Any]) -> set[str]:
    """Returns the images of no registry that the kubelet did not find."""
    status = part(pod, "status")
    containers = [*parts(status, "initContainerStatuses"), *parts(status, "containerStatuses")]
    return {
        c["image"]
        for c in containers
        if part(c, "state", "waiting").get("reason") in _NO_IMAGE
        and c["image"].startswith(f"{LOADED_IMAGES}/")
    }


def wait_until_answering(
    url: str, path: str, seconds: float, authority: str | None = None
) -> str | None:
    """Waits until a part of the application answers.

    Args:
        url: Where it should answer.
        path: A path that is answered with 200 when requests can be served.
        seconds: How long to wait.
        authority: Who signs its certificate, as PEM, if it is nobody that this machine trusts.

    Returns:
        None when it answers, else why it does not.
    """
    return last_answer(
        lambda: _refusal(url + path, authority), lambda reason: reason is None, seconds
    )


def authority_of(stack: str, outputs: dict[str, Any], url: str) -> str | None:
    """Returns who signs the certificate at an address, as PEM; None: nobody is named, or known.

    Args:
        stack: The stack's name.
        outputs: Its outputs, which name a ConfigMap of the cluster.
        url: The address.
    """
    for service in parts(outputs, "operations", "services"):
        if service.get("url") == url and (where := part(service, "authority")):
            named = ("configmap", where["configMap"], "--namespace", where["namespace"])
            try:
                found = _kubectl(stack, outputs).find(*named)
            except KubectlError:
                return None
            return part(found, "data").get("ca.crt")
    return None


def reachable_from_here(url: str) -> bool:
    """Returns whether an output is the address of something outside the cluster's own network."""
    host = urlsplit(url).hostname or ""
    return bool(host) and not host.endswith(".svc")


def _refusal(url: str, authority: str | None) -> str | None:
    try:
        with https.opener(url, authority).open(url, timeout=5):
            return None
    except urllib.error.HTTPError as error:
        return f"it answers {error.code}"
    except OSError as error:
        reason = getattr(error, "reason", error)
        return f"{NO_CONNECTION} ({str(reason) or type(error).__name__})"
    except http.client.HTTPException:
        return "what answers there speaks no HTTP"


def _items(stack: str, outputs: dict[str, Any], *what: str) -> list[Object] | None:
    """Returns the items of a list; None: the cluster does not tell."""
    try:
        return _kubectl(stack, outputs).items(*what)
    except KubectlError:
        return None


def _kubectl(stack: str, outputs: dict[str, Any]) -> Kubectl:
    """Returns `kubectl` on the cluster that a stack's outputs name.

    Raises:
        KubectlError: The command is not there, or the kubeconfig has no current context.
    """
    env = environment.complete(stack)
    if not is_installed(env):
        raise KubectlError("the command kubectl is not found")
    return Kubectl(outputs.get("kubeconfig"), outputs.get("kubeContext"), env)
