"""Configuration: plain values come from the environment, secrets from mounted files."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRETS = Path("/run/secrets/todo")


class Settings(BaseSettings):
    """Everything the process can be told from outside."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True)

    database_host: str = "localhost"
    database_port: int = 5432
    database_name: str = "todo"
    database_user: str = "todo"
    database_sslmode: str = "prefer"
    # The authorities that may have signed the server's certificate; none: the public ones.
    database_sslrootcert: Path | None = None
    database_channel_binding: Literal["disable", "prefer", "require"] = "prefer"
    # A pooler in transaction mode is in front: nothing may outlive a transaction.
    database_pooler: bool = False
    database_password_file: Path = SECRETS / "database-password"
    database_pool_size: int = Field(default=8, ge=1, le=50)
    # How long one request may wait for a restarting database before it answers 503.
    database_wait_seconds: float = Field(default=5.0, gt=0)

    jwt_key_file: Path = SECRETS / "jwt-key"
    jwt_next_key_file: Path = SECRETS / "jwt-next-key"
    jwt_previous_key_file: Path = SECRETS / "jwt-previous-key"
    session_minutes: int = Field(default=60, ge=1)

    chat_base_url: str | None = None
    chat_model: str | None = None
    chat_api_key_file: Path | None = None

    sign_in_attempts_per_minute: int = Field(default=10, ge=1)
    sign_in_attempts_per_minute_per_address: int = Field(default=120, ge=1)
    chat_messages_per_minute: int = Field(default=30, ge=1)

    log_level: str = "INFO"


@lru_cache
def get_settings() -> Settings:
    """Return the settings, read once."""
    return Settings()


def read_secret(path: Path | None) -> str | None:
    """Return the secret in a file, or None when it is absent or empty.

    It is read on every use, so a rotated secret needs no restart.
    """
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None
