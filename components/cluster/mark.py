"""The annotation that says which stack made an object."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast


@dataclass(frozen=True, kw_only=True)
class Mark:
    """How a stack marks what it makes."""

    owner: str
    """The stack, told from all others: `stack_identity`'s."""
    key: str = "kubernetes-app-components/stack"
    """Name of the annotation. What was made with another one is another's."""

    @property
    def annotation(self) -> Mapping[str, str]:
        """What the stack's own objects have."""
        return {self.key: self.owner}

    def of(self, found: Mapping[str, Any] | None) -> str | None:
        """Returns which stack made an object, None if it does not say so."""
        metadata = cast("dict[str, dict[str, str] | None]", (found or {}).get("metadata") or {})
        return (metadata.get("annotations") or {}).get(self.key)

    def is_on(self, found: Mapping[str, Any] | None) -> bool:
        """Tells whether the stack itself made an object."""
        return self.of(found) == self.owner
