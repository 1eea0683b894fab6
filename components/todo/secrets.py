"""The secrets of the Todo application, from the stack's configuration or from an external store."""

from dataclasses import dataclass

import pulumi

from components.metadata.labels import labels
from components.postgres.pod import PASSWORD_KEY
from components.secrets.external import declare_external_secret
from components.secrets.files import SecretFiles
from components.todo.settings.config import SecretValues
from components.todo.settings.settings import Settings

PATH = "/run/secrets/todo"
JWT_KEY = "jwt-key"
JWT_NEXT_KEY = "jwt-next-key"
JWT_PREVIOUS_KEY = "jwt-previous-key"
CHAT_API_KEY = "chat-api-key"


@dataclass(frozen=True, kw_only=True)
class TodoSecrets:
    """The backend's secret files, and what the database needs of them."""

    files: SecretFiles
    keys: frozenset[str]
    """Names of the files that are there."""
    database_password: pulumi.Output[str] | None
    """The password, unless `external` names the Secret that has it."""
    external: pulumi.Output[str] | None


def todo_secrets(
    name: str,
    settings: Settings,
    values: SecretValues | None,
    *,
    namespace: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> TodoSecrets:
    """Returns the secrets, and declares an ExternalSecret when they come from a store."""
    source = settings.secrets
    if source.mode == "external":
        remote = {
            PASSWORD_KEY: source.keys.database_password,
            JWT_KEY: source.keys.jwt_key,
            JWT_NEXT_KEY: source.keys.jwt_next_key,
            JWT_PREVIOUS_KEY: source.keys.jwt_previous_key,
            CHAT_API_KEY: source.keys.chat_api_key,
        }
        wanted = {key: remote_key for key, remote_key in remote.items() if remote_key}
        secret = declare_external_secret(
            f"{name}-external-secret",
            source,
            namespace=namespace,
            object_name=name,
            labels=labels(name, name, "application"),
            remote_keys=wanted,
            opts=opts,
        )
        return TodoSecrets(
            files=SecretFiles(path=PATH, existing=secret),
            keys=frozenset(wanted),
            database_password=None,
            external=secret,
        )
    if values is None:
        raise ValueError("secrets.mode generated needs the values of the secrets")
    given = {
        PASSWORD_KEY: values.database_password,
        JWT_KEY: values.jwt_key,
        JWT_NEXT_KEY: values.jwt_next_key,
        JWT_PREVIOUS_KEY: values.jwt_previous_key,
        CHAT_API_KEY: values.chat_api_key,
    }
    files = {key: value for key, value in given.items() if value is not None}
    return TodoSecrets(
        files=SecretFiles(path=PATH, values=files),
        keys=frozenset(files),
        database_password=values.database_password,
        external=None,
    )
