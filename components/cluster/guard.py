"""Refuses to take over what the stack did not make.

Server-side apply patches an object that is there already as if it were the stack's own. So before
Pulumi creates or updates an object, the cluster is asked whether it exists and whose it is.
"""

import time
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any, Protocol, cast

import pulumi

from .made_secrets import made_secret
from .mark import Mark
from .missing_kind import refuse_missing_kind
from .refusal import refusal
from .remedies import Remedies

_CLAIM = "PersistentVolumeClaim"
_SECONDS_TO_GO, _SECONDS_BETWEEN_LOOKS = 60.0, 0.5
"""As long as a deletion is awaited (deletion.py)."""
_Object = Mapping[str, Any]


class Live(Protocol):
    """The objects of a cluster."""

    def find(self, api_version: str, kind: str, namespace: str | None, name: str) -> _Object | None:
        """Returns an object, or None if there is none.

        Raises:
            pulumi.RunError: The cluster does not tell.
        """
        ...

    def serves(self, api_version: str, kind: str) -> bool:
        """Returns whether the cluster has a kind."""
        ...

    def annotate(
        self, api_version: str, kind: str, namespace: str, name: str, annotations: Mapping[str, str]
    ) -> None:
        """Adds annotations to an object."""
        ...


class Guard:
    """The hooks of a stack's Kubernetes objects."""

    def __init__(
        self,
        mark: Mark,
        live: Live,
        *,
        adopted: Collection[str] = (),
        remedies: Remedies | None = None,
    ) -> None:
        """Prepares the hooks; the cluster is asked when the first of them runs.

        Args:
            mark: The mark of the stack.
            live: The cluster's objects.
            adopted: Namespaces of others that the stack is to use.
            remedies: What people are told in a refusal.
        """
        self.mark = mark
        self._live, self._adopted = live, adopted
        self._remedies = remedies or Remedies()
        self._declared: dict[tuple[object, ...], str] = {}
        # One request for all objects of a namespace. It may be made in this same run: then what is
        # in it is the stack's.
        self._namespace = cache(self._find_namespace)

    def refuse_others(self, args: pulumi.ResourceHookArgs) -> None:
        """Refuses to create an object that exists and is not the stack's; a before_create hook.

        One of the stack's own that is still being deleted is waited for.

        Raises:
            pulumi.RunError: It exists, the cluster does not know its kind or does not tell; says
                how to go on.
        """
        inputs = args.new_inputs or {}
        kind, metadata = str(inputs["kind"]), cast("_Object", inputs.get("metadata") or {})
        # Before all else: also where the namespace is not there yet, or not known in a preview.
        refuse_missing_kind(
            str(inputs["apiVersion"]),
            kind,
            self._live.serves,
            self._defines,
            self._remedies.without_kind,
        )
        namespace, name = metadata.get("namespace"), metadata.get("name")
        if not isinstance(name, str) or not isinstance(namespace, str | None):
            return  # not known in a preview; the update asks again
        other = self._declared.setdefault((inputs["apiVersion"], kind, namespace, name), args.urn)
        if other != args.urn:
            raise pulumi.RunError(
                f"{kind} {_path(namespace, name)} is declared twice in this program, "
                f"as {args.name} and as {other.rsplit('::', 1)[-1]}: give each its own namespace "
                "or object_name"
            )
        if kind == "Namespace":
            self._refuse(kind, name, self._namespace(name))
            return
        if namespace is not None and not self._has(namespace):
            return
        if kind == _CLAIM and namespace:
            self._refuse_claim(namespace, name, metadata.get("labels") or {})
            return
        found = self._live.find(str(inputs["apiVersion"]), kind, namespace, name)
        self._refuse(kind, _path(namespace, name), found)
        if _is_going(found) and not pulumi.runtime.is_dry_run():
            self._wait_gone(str(inputs["apiVersion"]), kind, namespace, name)
        for claim, labels in _claims(inputs) if namespace else ():
            self._refuse_claim(namespace or "", claim, labels)
        self._refuse_secret(namespace, inputs)

    def _wait_gone(self, api_version: str, kind: str, namespace: str | None, name: str) -> None:
        """Waits for the end of an object of the stack's own that is being deleted.

        Made before, it would be patched, and then be gone. Pulumi does not wait for the deletion of
        what it does not await.

        Raises:
            pulumi.RunError: It does not go.
        """
        deadline = time.monotonic() + _SECONDS_TO_GO
        while _is_going(self._live.find(api_version, kind, namespace, name)):
            if time.monotonic() >= deadline:
                raise pulumi.RunError(
                    f"{kind} {_path(namespace, name)} is still being deleted: see what its "
                    "finalizers wait for, then run again"
                )
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def refuse_changed_hands(self, args: pulumi.ResourceHookArgs) -> None:
        """Refuses to update an object that is another stack's by now; a before_update hook.

        So it is where a cluster or a namespace was made anew, and somebody else was there first. An
        object without a mark is from before there were marks, or lost its own by hand. The mark
        that the stack gave it itself may differ from today's, after a new passphrase.

        Raises:
            pulumi.RunError: It is another's, or the cluster does not tell; says how to go on.
        """
        inputs = args.old_inputs or {}
        kind, metadata = str(inputs["kind"]), cast("_Object", inputs.get("metadata") or {})
        namespace, name = metadata.get("namespace"), metadata.get("name")
        if not isinstance(name, str):
            return  # Pulumi has not kept it
        if kind == "Namespace":
            found = self._namespace(name)
        else:
            found = self._live.find(str(inputs["apiVersion"]), kind, namespace, name)
        if self.mark.of(found) not in (None, self.mark.of(inputs), self.mark.owner):
            at = _path(namespace, name)
            raise refusal(kind, at, found, self.mark, self._remedies, deployed=True)

    def mark_claims(self, args: pulumi.ResourceHookArgs) -> None:
        """Marks the claims of a StatefulSet, whose template must never change; an after_… hook.

        In a namespace of others nothing else says whose they are once the stack is destroyed. A new
        mark, as with a new passphrase, is an update of the StatefulSet too.
        """
        inputs = args.new_inputs or {}
        namespace = str(inputs["metadata"].get("namespace") or "default")
        for claim, _ in _claims(inputs):
            self._live.annotate("v1", _CLAIM, namespace, claim, self.mark.annotation)

    def _defines(self, definition: str) -> bool:
        """Returns whether the program declares a definition, which has come before its objects."""
        key = ("apiextensions.k8s.io/v1", "CustomResourceDefinition", None, definition)
        return key in self._declared

    def _find_namespace(self, name: str) -> _Object | None:
        return self._live.find("v1", "Namespace", None, name)

    def _has(self, namespace: str) -> bool:
        """Returns whether a namespace exists that something of others could be in.

        Raises:
            pulumi.RunError: It is to be adopted, and is missing or another stack's.
        """
        found = self._namespace(namespace)
        if namespace not in self._adopted:
            return found is not None
        if found is None:
            raise pulumi.RunError(
                f"Namespace {namespace} does not exist, but is to be adopted: create it, or "
                f"{self._remedies.leave_namespace}"
            )
        if self.mark.of(found):
            self._refuse("Namespace", namespace, found)
        return True

    def _refuse(self, kind: str, path: str, found: _Object | None) -> None:
        if found is not None and not self.mark.is_on(found):
            raise refusal(kind, path, found, self.mark, self._remedies)

    def _refuse_claim(self, namespace: str, name: str, labels: _Object) -> None:
        found = self._live.find("v1", _CLAIM, namespace, name)
        if found is None or self.mark.is_on(found):
            return
        # Made before claims were marked: in the stack's own namespace their labels tell.
        own_namespace = self.mark.is_on(self._namespace(namespace))
        alike = labels.items() <= (found["metadata"].get("labels") or {}).items()
        if self.mark.of(found) or not (own_namespace and alike):
            raise refusal(_CLAIM, _path(namespace, name), found, self.mark, self._remedies)

    def _refuse_secret(self, namespace: str | None, inputs: _Object) -> None:
        """Refuses to let a controller have a Secret that somebody keeps."""
        secret = made_secret(inputs)
        if secret is None:
            return
        try:
            found = self._live.find("v1", "Secret", namespace, secret.name)
        except pulumi.RunError as error:
            if "HTTP 403" in str(error):
                return  # who may declare such objects need not be one who may read Secrets
            raise
        if found is not None and not secret.is_its(found):
            self._refuse("Secret", _path(namespace, secret.name), found)


def _is_going(found: _Object | None) -> bool:
    return found is not None and bool(found["metadata"].get("deletionTimestamp"))


def _path(namespace: str | None, name: str) -> str:
    return f"{namespace}/{name}" if namespace else name


def _claims(inputs: _Object) -> Iterator[tuple[str, _Object]]:
    """Yields names and labels of the claims that a StatefulSet's pods will use."""
    if inputs["kind"] != "StatefulSet":
        return
    spec, name = inputs["spec"], inputs["metadata"]["name"]
    for template in spec.get("volumeClaimTemplates") or ():
        metadata = template["metadata"]
        for ordinal in range(int(spec.get("replicas") or 1)):
            yield f"{metadata['name']}-{name}-{ordinal}", metadata.get("labels") or {}
