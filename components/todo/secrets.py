"""The secrets that a stack has, from its configuration or from an external store."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import assert_never

import pulumi

from components.metadata.scope import ObjectScope
from components.secrets.external import declare_external_secret
from components.secrets.files import SecretFiles
from components.todo.secret_table import POD_SECRETS, STORE_SECRETS, SecretDescription
from components.todo.settings.config import SecretValues
from components.todo.settings.secrets import ExternalSecrets, GeneratedSecrets, Secrets
from components.values.secret_store import SecretStore

PATH = "/run/secrets/todo"
"""Where the files are in every pod that reads some."""
STORE_PATH = "/run/secrets/store"
"""Where those of an object store are, in the pods that write to it."""


@dataclass(frozen=True, kw_only=True)
class StackSecrets:
    """Which secrets there are, and where they come from."""

    present: tuple[SecretDescription, ...]
    values: SecretValues
    """The secrets by name; empty where `external` names the Secret that has them."""
    external: pulumi.Output[str] | None

    def read_by(self, readers: Collection[SecretDescription]) -> tuple[SecretDescription, ...]:
        """Returns which of the secrets that a service reads there are."""
        return tuple(secret for secret in self.present if secret in readers)

    def files(self, readers: Collection[SecretDescription]) -> SecretFiles | None:
        """Returns the files with the secrets that a service reads; None where it reads none."""
        read = self.read_by(readers)
        if not read:
            return None
        if self.external is None:
            return SecretFiles(path=PATH, values={it.file: self.values[it.name] for it in read})
        keys = None if read == self.present else [secret.file for secret in read]
        return SecretFiles(path=PATH, existing=self.external, keys=keys)

    def store_files(self) -> SecretFiles:
        """Returns the files of what writes to an object store.

        Raises:
            ValueError: The stack has no secrets for one.
        """
        if self.read_by(STORE_SECRETS) != STORE_SECRETS:
            raise ValueError("an object store needs its credentials and the key of the backups")
        path, keys = STORE_PATH, [secret.file for secret in STORE_SECRETS]
        if self.external is None:
            values = {it.file: self.values[it.name] for it in STORE_SECRETS}
            return SecretFiles(path=path, values=values)
        return SecretFiles(path=path, existing=self.external, keys=keys)

    def variables(self, readers: Collection[SecretDescription]) -> dict[str, str]:
        """Returns the environment variables that say where the files are."""
        return {secret.variable: f"{PATH}/{secret.file}" for secret in self.read_by(readers)}


def declare_secrets(
    scope: ObjectScope, settings: Secrets, values: SecretValues | None
) -> StackSecrets:
    """Declares an ExternalSecret where the secrets come from a store, and returns them all.

    Raises:
        ValueError: They are to come from the stack's configuration, and there are none.
    """
    match settings:
        case GeneratedSecrets():
            if values is None:
                raise ValueError("secrets.mode generated needs the values of the secrets")
            present = tuple(secret for secret in POD_SECRETS if secret.name in values)
            return StackSecrets(present=present, values=values, external=None)
        case ExternalSecrets():
            given: dict[str, str | None] = settings.keys.model_dump()
            remote = {secret: given[secret.field] for secret in POD_SECRETS}
            wanted = {secret: key for secret, key in remote.items() if key}
            store = SecretStore(
                name=settings.store,
                kind=settings.store_kind,
                refresh_interval=settings.refresh_interval,
            )
            external = declare_external_secret(
                scope, store, {secret.file: key for secret, key in wanted.items()}
            )
            return StackSecrets(present=tuple(wanted), values={}, external=external)
        case _:
            assert_never(settings)
