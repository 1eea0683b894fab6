"""Who signs an image, and whose signature is looked for."""

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Whose signature an image in a registry has to have."""

    public_key: str
    """Of the key pair, as PEM."""
    authority: str | None = None
    """Who signs the registry's certificate, as PEM; None: somebody whom this machine trusts."""


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """What an image is signed with."""

    private: str
    """As `cosign generate-key-pair` writes it."""
    password: str = ""
    """What that is encrypted with."""


@dataclass(frozen=True, kw_only=True)
class Signing:
    """How an image in a registry gets its signature."""

    key: pulumi.Output[SigningKey]
    """Secret; it gets into no state."""
    verification: Verification
    """Of the same key pair."""
