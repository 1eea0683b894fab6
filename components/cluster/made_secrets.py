"""The Secrets that controllers make of an object, and fill whoever has made them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_CERTIFICATE_NAME = "cert-manager.io/certificate-name"


@dataclass(frozen=True, kw_only=True)
class MadeSecret:
    """A Secret that a controller makes of an object, or takes over where it is there.

    The External Secrets Operator empties one that somebody else has made, fills it with its own
    keys, and lets it go with the ExternalSecret (`applyTemplate` and `SetControllerReference` of
    its pkg/controllers/externalsecret, 0.16.2); cert-manager overwrites key and certificate.
    """

    name: str
    kind: str
    """The kind of the object."""
    of: str
    """Its name."""

    def is_its(self, found: Mapping[str, Any]) -> bool:
        """Tells whether the controller has made a Secret of the object."""
        metadata: Mapping[str, Any] = found["metadata"]
        owners: Sequence[Mapping[str, Any]] = metadata.get("ownerReferences") or ()
        annotations: Mapping[str, str] = metadata.get("annotations") or {}
        return annotations.get(_CERTIFICATE_NAME) == self.of or any(
            it["kind"] == self.kind and it["name"] == self.of for it in owners
        )


def made_secret(inputs: Mapping[str, Any]) -> MadeSecret | None:
    """Returns the Secret that a controller makes of an object with these inputs, if it does."""
    kind, name = str(inputs["kind"]), str(inputs["metadata"]["name"])
    spec: Mapping[str, Any] = inputs.get("spec") or {}
    if kind == "ExternalSecret":
        target: Mapping[str, Any] = spec.get("target") or {}
        secret: object = target.get("name") or name
    elif kind == "Certificate":
        secret = spec.get("secretName")
    else:
        return None
    # One that a preview does not know is asked for in the update.
    return MadeSecret(name=secret, kind=kind, of=name) if isinstance(secret, str) else None
