"""The application's secrets: one row each, from which everything that names one follows.

`make up` reads it before there is a Python environment, so nothing here needs more than
Python.
"""

import re
from dataclasses import dataclass

from components.todo.names import PROJECT


@dataclass(frozen=True)
class SecretDescription:
    """One secret, under all names that it has."""

    name: str
    """As the stack's configuration and the settings' `secrets.keys` have it."""
    meaning: str
    """For docs/settings.md, the schema of stack files and messages."""
    generate: str | None = None
    """A shell command that makes a value; None: the application runs without this secret."""
    rotates: str | None = None
    """The name of the secret during whose rotation alone this one is there."""

    @property
    def required(self) -> bool:
        """Whether the application does not start without it; `make up` then makes one."""
        return self.generate is not None

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

SECRETS = (DATABASE_PASSWORD, JWT_KEY, JWT_NEXT_KEY, JWT_PREVIOUS_KEY, CHAT_API_KEY)
"""All of them, in the order in which they are asked for and mounted."""
