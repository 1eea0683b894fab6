"""A stack's secrets: one row each, from which everything that names one follows.

`make up` reads it before there is a Python environment, so nothing here needs more than
Python.
"""

import re
from dataclasses import dataclass
from typing import Literal

from components.todo.names import PROJECT


@dataclass(frozen=True)
class SecretDescription:
    """One secret, under all names that it has."""

    name: str
    """As the stack's configuration and the settings' `secrets.keys` have it."""
    meaning: str
    """For docs/settings.md, the schema of stack files and messages."""
    generate: str | None = None
    """A shell command that makes a value; None: there need be none."""
    rotates: str | None = None
    """The name of the secret during whose rotation alone this one is there."""
    of: Literal["application", "store", "images"] = "application"
    """What reads it: the application's pods, what writes to an object store, or what signs images
    where they are built."""

    @property
    def required(self) -> bool:
        """Whether the application does not start without it; `make up` then makes one."""
        return self.generate is not None and self.of == "application"

    @property
    def config_key(self) -> str:
        """The key in the stack's configuration, such as `todo:jwtKey`."""
        return f"{PROJECT}:{self.name}"

    @property
    def file(self) -> str:
        """The key in Kubernetes Secrets and the name of the mounted file, such as `jwt-key`."""
        return re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", self.name)

    @property
    def field(self) -> str:
        """The name in Python, such as `jwt_key`."""
        return self.file.replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable with the file's path, such as `JWT_KEY_FILE`."""
        return f"{self.field.upper()}_FILE"


DATABASE_PASSWORD = SecretDescription(
    "databasePassword", "Password of the database user.", generate="openssl rand -hex 24"
)
JWT_KEY = SecretDescription("jwtKey", "Signs the users' sessions.", generate="openssl rand -hex 32")
JWT_NEXT_KEY = SecretDescription(
    "jwtNextKey",
    "During a rotation: accepted already, before it becomes jwtKey.",
    rotates="jwtKey",
)
JWT_PREVIOUS_KEY = SecretDescription(
    "jwtPreviousKey",
    "During a rotation: the former jwtKey, while sessions signed with it live.",
    rotates="jwtKey",
)
CHAT_API_KEY = SecretDescription("chatApiKey", "Key of the chat endpoint.")

OBJECT_STORE_KEY_ID = SecretDescription(
    "objectStoreKeyId",
    "Access key ID of the object store that the backups go to; yours to set.",
    of="store",
)
OBJECT_STORE_SECRET = SecretDescription(
    "objectStoreSecret",
    "Secret access key that belongs to it; yours to set.",
    of="store",
)
BACKUP_KEY = SecretDescription(
    "backupKey",
    "Encrypts the backups in an object store. `make up` makes one where such backups are asked "
    "for, and nothing ever takes it away: keep a copy elsewhere, since nobody can read them "
    "without it.",
    generate="openssl rand -hex 32",
    of="store",
)

SIGNING_KEY = SecretDescription(
    "signingKey",
    "Signs images (images.signature): the text of cosign.key. `make signing-key` makes one.",
    of="images",
)
SIGNING_PASSWORD = SecretDescription(
    "signingPassword", "What cosign.key was encrypted with; none: with an empty one.", of="images"
)

SECRETS = (DATABASE_PASSWORD, JWT_KEY, JWT_NEXT_KEY, JWT_PREVIOUS_KEY, CHAT_API_KEY)
"""Those of the application, in the order in which they are asked for and mounted."""
STORE_SECRETS = (OBJECT_STORE_KEY_ID, OBJECT_STORE_SECRET, BACKUP_KEY)
"""Those of what writes to an object store; a stack that has one needs them all."""
SIGNING_SECRETS = (SIGNING_KEY, SIGNING_PASSWORD)
"""Those of what signs images, which no pod and no external store has."""
POD_SECRETS = (*SECRETS, *STORE_SECRETS)
"""All that some pod reads, so that an external store may have them."""
ALL_SECRETS = (*POD_SECRETS, *SIGNING_SECRETS)
"""All that a stack's configuration may have."""
