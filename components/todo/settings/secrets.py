"""The settings that say where the secrets come from."""

from typing import Annotated, Literal, assert_never

from pydantic import Field

from components.todo.secret_table import (
    BACKUP_KEY,
    JWT_NEXT_KEY,
    JWT_PREVIOUS_KEY,
    OBJECT_STORE_KEY_ID,
    OBJECT_STORE_SECRET,
)
from components.values.names import ObjectName
from components.values.secret_store import SecretStore
from components.values.text import Matching, Text
from components.values.value import Value


class GeneratedSecrets(Value):
    """Secrets generated once by `make up` and kept encrypted in the stack's configuration."""

    mode: Literal["generated"] = "generated"


class SecretKeys(Value):
    """Where each secret is in the external store."""

    # A test holds them against components/todo/secret_table.py.
    database_password: Text
    jwt_key: Text
    jwt_next_key: Text | None = Field(default=None, description=JWT_NEXT_KEY.meaning)
    jwt_previous_key: Text | None = Field(default=None, description=JWT_PREVIOUS_KEY.meaning)
    chat_api_key: Text | None = None
    object_store_key_id: Text | None = Field(default=None, description=OBJECT_STORE_KEY_ID.meaning)
    object_store_secret: Text | None = Field(default=None, description=OBJECT_STORE_SECRET.meaning)
    backup_key: Text | None = Field(default=None, description=BACKUP_KEY.meaning)


class ExternalSecrets(Value):
    """Secrets that the External Secrets Operator copies from a store."""

    mode: Literal["external"]
    store: ObjectName
    store_kind: Literal["SecretStore", "ClusterSecretStore"] = SecretStore.kind
    refresh_interval: (
        Annotated[
            str,
            Matching(
                pattern="[1-9][0-9]{0,4}(s|m|h)",
                allowed="seconds, minutes or hours such as 30s or 1h",
            ),
        ]
        | None
    ) = Field(
        default=SecretStore.refresh_interval,
        description="null: `sync-secrets` alone brings new values, and with them the database's "
        "password to the database",
    )
    keys: SecretKeys


Secrets = Annotated[GeneratedSecrets | ExternalSecrets, Field(discriminator="mode")]


def are_generated(secrets: Secrets) -> bool:
    """Returns whether the stack's configuration has the secrets, and not a store."""
    match secrets:
        case GeneratedSecrets():
            return True
        case ExternalSecrets():
            return False
        case _:
            assert_never(secrets)
