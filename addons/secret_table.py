"""The secrets of the add-ons: one row each, from which everything that names one follows.

`make addons` reads it before there is a Python environment, so nothing here needs more than
Python.
"""

from dataclasses import dataclass

from addons.names import PROJECT


@dataclass(frozen=True, kw_only=True)
class SecretDescription:
    """A secret that `make addons` makes once and the stack's configuration keeps encrypted."""

    name: str
    """As the stack's configuration has it."""
    part: str
    """The block of the settings that needs it; without that block nothing is made."""
    generate: str
    """A shell command that makes a value, run in the repository with the project's Python."""
    used_by: tuple[str, ...]
    """Pulumi's names of what is made with it: with another, people would have to be told anew."""
    file: str | None = None
    """The key that it has in a Secret of the cluster, from which a lost one is taken back."""

    @property
    def config_key(self) -> str:
        """The key in the stack's configuration, such as `todo-addons:registryPassword`."""
        return f"{PROJECT}:{self.name}"


LOCAL_AUTHORITY = SecretDescription(
    name="localAuthority",
    part="localAuthority",
    generate="python -m addons.local_authority",
    used_by=("gateway-authority", "registry-secrets"),
)
REGISTRY_PASSWORD = SecretDescription(
    name="registryPassword",
    part="registry",
    generate="openssl rand -hex 24",
    used_by=("registry-secrets",),
)
SECRETS: tuple[SecretDescription, ...] = (LOCAL_AUTHORITY, REGISTRY_PASSWORD)
"""All of them."""
