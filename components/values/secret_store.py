"""SecretStore: where the External Secrets Operator finds secrets."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class SecretStore:
    """A store that the External Secrets Operator knows, and how often it is asked."""

    name: str
    """Name of the SecretStore or ClusterSecretStore."""
    kind: Literal["SecretStore", "ClusterSecretStore"] = "ClusterSecretStore"
    refresh_interval: str | None = "1h"
    """How often the operator looks for new values, such as 30s or 1h; None: only where the
    ExternalSecret changes, if by a note."""
