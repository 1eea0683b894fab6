"""The Secrets that the operator of a database reads, in the form in which it wants them."""

from typing import assert_never

import pulumi
import pulumi_kubernetes as k8s

from components.metadata.labels import object_name
from components.metadata.scope import ObjectScope
from components.postgres_cluster import StoreCredentials
from components.postgres_cluster.credentials import PASSWORD_KEY, RELOADED
from components.secrets.external import declare_external_secret
from components.todo.secret_table import OBJECT_STORE_KEY_ID, OBJECT_STORE_SECRET
from components.todo.secrets import StackSecrets
from components.todo.settings.secrets import ExternalSecrets, GeneratedSecrets, Secrets
from components.values.secret_store import SecretStore


def operators_password(
    scope: ObjectScope, secrets: Secrets, user: str
) -> pulumi.Output[str] | None:
    """Declares an ExternalSecret with role and password, where the password is in a store.

    Args:
        scope: Of the database.
        secrets: Where the password is.
        user: The application's role.

    Returns:
        The name of its Secret; None where the stack's configuration has the password.
    """
    match secrets:
        case GeneratedSecrets():
            return None
        case ExternalSecrets():
            store = SecretStore(
                name=secrets.store,
                kind=secrets.store_kind,
                refresh_interval=secrets.refresh_interval,
            )
            return declare_external_secret(
                scope.part("credentials"),
                store,
                {PASSWORD_KEY: secrets.keys.database_password},
                template={
                    "type": "kubernetes.io/basic-auth",
                    "metadata": {"labels": {**RELOADED}},
                    "data": {"username": user, PASSWORD_KEY: f"{{{{ .{PASSWORD_KEY} }}}}"},
                },
            )
        case _:
            assert_never(secrets)


def store_credentials(scope: ObjectScope, secrets: StackSecrets) -> StoreCredentials:
    """Returns the Secret with what opens the object store; declares one if none keeps it.

    Args:
        scope: Of the database.
        secrets: The stack's secrets.
    """
    key_id, secret_key = OBJECT_STORE_KEY_ID, OBJECT_STORE_SECRET
    name = secrets.external
    if name is None:
        # What is archived to it goes on when the stack is destroyed, as the database does.
        opts = pulumi.ResourceOptions.merge(
            scope.opts, pulumi.ResourceOptions(retain_on_delete=True)
        )
        declared = k8s.core.v1.Secret(
            f"{scope.name}-store",
            metadata=scope.metadata("-store"),
            string_data={it.file: secrets.values[it.name] for it in (key_id, secret_key)},
            opts=opts,
        )
        name = object_name(declared)
    return StoreCredentials(secret=name, key_id=key_id.file, secret_key=secret_key.file)
