"""The rules, as plain functions over registered resources.

The policy pack (`__main__.py`) applies them in preview and up with `--policy-pack policy`, the
tests to what the program registers for every stack file.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pulumi_policy.proxy import UnknownValueError

Properties = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A registered resource."""

    type: str
    name: str
    properties: Properties

    @property
    def kind(self) -> str:
        """The Kubernetes kind, or the last part of any other type."""
        return self.type.rsplit(":", 1)[-1]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule on single resources."""

    name: str
    description: str
    check: Callable[[Resource], Iterator[str]]


@dataclass(frozen=True, kw_only=True)
class StackRule:
    """A rule on all resources of a stack together."""

    name: str
    description: str
    check: Callable[[Sequence[Resource]], Iterator[str]]


_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod")
_SENSITIVE = re.compile(r"(PASSWORD|SECRET|TOKEN|(API|JWT|PRIVATE|ACCESS|ENCRYPTION)_KEY)$")
_COLLECTIONS = ("kubernetes:helm.sh/", "kubernetes:yaml/")
"""Components of Pulumi's plugin: charts and files, which are no objects but have some."""
_LABELS = ("name", "instance", "component", "part-of", "managed-by")


def _get(tree: Any, *path: str) -> Any:
    for key in path:
        tree = tree.get(key) if isinstance(tree, Mapping) else None  # pyright: ignore
    return tree  # pyright: ignore[reportUnknownVariableType]


def _pod(resource: Resource) -> Properties | None:
    if not resource.type.startswith("kubernetes:") or resource.kind not in _WORKLOADS:
        return None
    spec: Any = _get(resource.properties, "spec")
    if resource.kind == "CronJob":
        spec = _get(spec, "jobTemplate", "spec")
    return spec if resource.kind == "Pod" else _get(spec, "template", "spec")


def _pod_labels(resource: Resource) -> Properties | None:
    """Returns the labels of the pods that a resource makes, or None if it makes none."""
    if _pod(resource) is None:
        return None
    spec: Any = _get(resource.properties, "spec")
    if resource.kind == "CronJob":
        spec = _get(spec, "jobTemplate", "spec")
    metadata = resource.properties if resource.kind == "Pod" else _get(spec, "template")
    return _get(metadata, "metadata", "labels") or {}


def _containers(resource: Resource, *, init: bool = True) -> Iterator[Properties]:
    pod = _pod(resource) or {}
    yield from pod.get("containers") or ()
    if init:
        yield from pod.get("initContainers") or ()


def _image(container: Properties) -> str | None:
    """Returns a container's image; None: a preview does not know it, since it is yet to be built.

    Pulumi gives up a rule that reads what is unknown, and then nothing of it is asked.
    """
    try:
        return str(container.get("image") or "")
    except UnknownValueError:
        return None


def _signed_reference(resource: Resource) -> str | None:
    """Returns what a SignedImage is of; None: a preview does not know it."""
    try:
        return _get(resource.properties, "reference")
    except UnknownValueError:
        return None


def resources_bounded(resource: Resource) -> Iterator[str]:
    """Every container has requests and limits."""
    for container in _containers(resource):
        for kind in ("requests", "limits"):
            for amount in ("cpu", "memory", "ephemeral-storage"):
                if not _get(container, "resources", kind, amount):
                    yield f"container {container.get('name')} has no resources.{kind}.{amount}"


def containers_restricted(resource: Resource) -> Iterator[str]:
    """Every container meets the Pod Security Standard restricted, and has a read-only root."""
    pod_context = _get(_pod(resource), "securityContext")
    for container in _containers(resource):
        name, context = container.get("name"), container.get("securityContext")
        if not (_get(context, "runAsUser") or _get(pod_context, "runAsUser")):
            yield f"container {name} has no numeric runAsUser above 0"
        if not (_get(context, "runAsNonRoot") or _get(pod_context, "runAsNonRoot")):
            yield f"container {name} lacks runAsNonRoot"
        if _get(context, "allowPrivilegeEscalation") is not False:
            yield f"container {name} may escalate privileges"
        if _get(context, "privileged"):
            yield f"container {name} is privileged"
        if "ALL" not in (_get(context, "capabilities", "drop") or ()):
            yield f"container {name} does not drop all capabilities"
        if _get(context, "capabilities", "add"):
            yield f"container {name} adds capabilities"
        if not _get(context, "readOnlyRootFilesystem"):
            yield f"container {name} has a writable root file system"
        profile = _get(context, "seccompProfile", "type")
        if "RuntimeDefault" not in (profile, _get(pod_context, "seccompProfile", "type")):
            yield f"container {name} has no seccomp profile RuntimeDefault"


def host_untouched(resource: Resource) -> Iterator[str]:
    """No pod uses the node's network, ports, processes or files."""
    pod = _pod(resource) or {}
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(key):
            yield f"uses {key}"
    for container in _containers(resource):
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                yield f"container {container.get('name')} takes the port {port['hostPort']:g}"
    for volume in pod.get("volumes") or ():
        if volume.get("hostPath"):
            yield f"volume {volume.get('name')} is a hostPath"


def no_service_account_token(resource: Resource) -> Iterator[str]:
    """Nothing gets a token for the Kubernetes API."""
    pod = _pod(resource)
    if pod is not None:
        if pod.get("automountServiceAccountToken") is not False:
            yield "mounts a service account token"
        if (pod.get("serviceAccountName") or "default") == "default":
            yield "runs under the default service account"
    elif (
        resource.kind == "ServiceAccount"
        and resource.properties.get("automountServiceAccountToken") is not False
    ):
        yield "mounts its token into pods"


def images_fixed(resource: Resource) -> Iterator[str]:
    """Every image has a fixed tag or a digest."""
    for container in _containers(resource):
        image = _image(container)
        if image is None:
            continue  # The update knows it, and asks again.
        tag = image.rsplit("/", 1)[-1].partition("@")[0].partition(":")[2]
        if "@sha256:" not in image and tag in ("", "latest"):
            yield f"container {container.get('name')} has no fixed image tag: {image}"


def probes_differ(resource: Resource) -> Iterator[str]:
    """Whoever serves a port has three probes, and over HTTP readiness is not liveness."""
    if resource.kind not in ("Deployment", "StatefulSet", "DaemonSet"):
        return
    for container in _containers(resource, init=False):
        if not container.get("ports"):
            continue  # Nobody waits for a worker to be ready.
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            if not container.get(probe):
                yield f"container {container.get('name')} has no {probe}"
        live = _get(container, "livenessProbe", "httpGet", "path")
        if live and live == _get(container, "readinessProbe", "httpGet", "path"):
            yield f"container {container.get('name')} restarts when its dependencies fail"


def no_secrets_in_environment(resource: Resource) -> Iterator[str]:
    """Secrets are files: variables leak into child processes and crash reports."""
    for container in _containers(resource):
        for variable in container.get("env") or ():
            from_secret = _get(variable, "valueFrom", "secretKeyRef")
            if from_secret or _SENSITIVE.search(str(variable.get("name"))):
                yield f"container {container.get('name')} has the secret {variable.get('name')}"
        for source in container.get("envFrom") or ():
            if secret := _get(source, "secretRef", "name"):
                yield f"container {container.get('name')} has all of the Secret {secret}"


def updates_without_gap(resource: Resource) -> Iterator[str]:
    """A Deployment never has fewer pods than wanted while it rolls."""
    if resource.kind == "Deployment" and resource.type.startswith("kubernetes:"):
        path = ("spec", "strategy", "rollingUpdate", "maxUnavailable")
        if _get(resource.properties, *path) != 0:
            yield f"{'.'.join(path)} is not 0"


def claims_retained(resource: Resource) -> Iterator[str]:
    """Data outlives the StatefulSet."""
    if resource.kind == "StatefulSet" and resource.type.startswith("kubernetes:"):
        policy = _get(resource.properties, "spec", "persistentVolumeClaimRetentionPolicy")
        for event in ("whenDeleted", "whenScaled"):
            if _get(policy, event) != "Retain":
                yield f"persistentVolumeClaimRetentionPolicy.{event} is not Retain"


def labels_present(resource: Resource) -> Iterator[str]:
    """Every object has the recommended labels."""
    if not resource.type.startswith("kubernetes:") or resource.type.startswith(_COLLECTIONS):
        return
    labels = _get(resource.properties, "metadata", "labels")
    for label in _LABELS:
        if not _get(labels, f"app.kubernetes.io/{label}"):
            yield f"has no label app.kubernetes.io/{label}"


def namespace_restricted(resource: Resource) -> Iterator[str]:
    """Namespaces enforce the Pod Security Standard restricted."""
    if resource.kind == "Namespace":
        labels = _get(resource.properties, "metadata", "labels")
        if _get(labels, "pod-security.kubernetes.io/enforce") != "restricted":
            yield "does not enforce restricted"


def services_not_load_balanced(resource: Resource) -> Iterator[str]:
    """The ways in are node ports, Ingress and Gateway; none makes a load balancer of its own."""
    if resource.kind == "Service" and _get(resource.properties, "spec", "type") == "LoadBalancer":
        yield "is a LoadBalancer"


def ingress_encrypted(resource: Resource) -> Iterator[str]:
    """An Ingress has TLS for each of its hosts."""
    if resource.kind == "Ingress":
        spec = _get(resource.properties, "spec")
        covered = {host for tls in _get(spec, "tls") or () for host in _get(tls, "hosts") or ()}
        for rule in _get(spec, "rules") or ():
            if _get(rule, "host") not in covered:
                yield f"host {_get(rule, 'host')} has no TLS"


def default_deny(resources: Sequence[Resource]) -> Iterator[str]:
    """Every pod is denied all traffic that no policy allows."""
    denied: list[Properties] = []
    for resource in resources:
        spec = _get(resource.properties, "spec")
        if resource.kind == "NetworkPolicy" and not (_get(spec, "ingress") or _get(spec, "egress")):
            selector = _get(spec, "podSelector")
            labels_only = not _get(selector, "matchExpressions")
            if labels_only and set(_get(spec, "policyTypes") or ()) == {"Ingress", "Egress"}:
                denied.append(_get(selector, "matchLabels") or {})
    if not denied:
        yield "no NetworkPolicy denies everything by default"
        return
    for resource in resources:
        labels = _pod_labels(resource)
        if labels is not None and not any(it.items() <= labels.items() for it in denied):
            yield f"no NetworkPolicy denies everything to {resource.name} by default"


def disruption_budgets(resources: Sequence[Resource]) -> Iterator[str]:
    """Each Deployment has a PodDisruptionBudget that cannot block a drain for ever."""
    budgets = [r.properties for r in resources if r.kind == "PodDisruptionBudget"]
    for resource in resources:
        if resource.kind != "Deployment" or not resource.type.startswith("kubernetes:"):
            continue
        selector = _get(resource.properties, "spec", "selector")
        own = [b for b in budgets if _get(b, "spec", "selector") == selector]
        if not own:
            yield f"{resource.name} has no PodDisruptionBudget"
        elif _get(own[0], "spec", "unhealthyPodEvictionPolicy") != "AlwaysAllow":
            yield f"{resource.name}'s unhealthy pods can block draining a node"


def images_signed(resources: Sequence[Resource]) -> Iterator[str]:
    """In production every image has a digest, a signature and a bill of materials."""
    stacks = [it for it in resources if it.kind == "TodoStack"]
    if not any(_get(it.properties, "environment") == "production" for it in stacks):
        return
    signed = {
        it.name: _signed_reference(it)
        for it in resources
        if it.kind == "SignedImage" and _get(it.properties, "billOfMaterials")
    }
    references = set(signed.values())
    # By their names: what is yet to be built has no reference in a preview.
    all_signed = all(
        f"{it.name}-signed" in signed for it in resources if it.kind == "ContainerImage"
    )
    for resource in resources:
        for container in _containers(resource):
            image = _image(container)
            if image is None:
                well, named = all_signed, "which is yet to be built"
            else:
                well, named = image in references and "@sha256:" in image, image
            if not well:
                yield (
                    f"container {container.get('name')} of {resource.name} has an image without "
                    f"signature and bill of materials, {named}: give images of mode registry or "
                    "prebuilt the block signature, say environment: development if it is that, "
                    "or, where others make the image, say in policy/waivers.py why that will do"
                )


def _rule(check: Callable[[Resource], Iterator[str]]) -> Rule:
    return Rule(name=check.__name__.replace("_", "-"), description=check.__doc__ or "", check=check)


def _stack_rule(check: Callable[[Sequence[Resource]], Iterator[str]]) -> StackRule:
    return StackRule(
        name=check.__name__.replace("_", "-"), description=check.__doc__ or "", check=check
    )


RULES = tuple(
    map(
        _rule,
        (
            resources_bounded,
            containers_restricted,
            host_untouched,
            no_service_account_token,
            images_fixed,
            probes_differ,
            no_secrets_in_environment,
            updates_without_gap,
            claims_retained,
            labels_present,
            namespace_restricted,
            services_not_load_balanced,
            ingress_encrypted,
        ),
    )
)
STACK_RULES = tuple(map(_stack_rule, (default_deny, disruption_budgets, images_signed)))
