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
    # Counted from the password, however much a session is used in between.
    session_days: int = Field(default=30, ge=1)

    chat_base_url: str | None = None
    chat_model: str | None = None
    chat_api_key_file: Path | None = None

    # Who stands in front: see client_address.py.
    trusted_proxy_host: str | None = None
    trusted_proxies: int = Field(default=0, ge=0, le=10)

    # What these numbers are for: see attempts.py.
    sign_in_attempts_per_minute: int = Field(default=10, ge=1)
    sign_in_attempts_per_minute_per_address: int = Field(default=120, ge=1)
    sign_in_attempts_per_hour_per_account: int = Field(default=100, ge=1)
    sign_ups_per_hour_per_address: int = Field(default=100, ge=1)
    chat_messages_per_minute: int = Field(default=30, ge=1)
    # Scripts and tests write fast; a person does not get near it.
    todo_changes_per_minute: int = Field(default=1_200, ge=1)
    todos_per_user: int = Field(default=5_000, ge=1)
    messages_per_user: int = Field(default=5_000, ge=1)

    # How long a kept-alive connection may idle: longer than any proxy in front keeps it.
    keep_alive_seconds: int = Field(default=75, ge=1)
    # How long a client may take to send a request's headers, and then its body.
    request_seconds: float = Field(default=20.0, gt=0)
    # Beyond so many open connections each new one ends the one that has waited longest for its
    # client; beyond so many requests at once the next one is answered 503.
    maximum_connections: int = Field(default=1_000, ge=10)
    maximum_requests: int = Field(default=200, ge=1)
    # Where it listens: the container's only interface; :: in a cluster of IPv6.
    listen_host: str = "0.0.0.0"  # noqa: S104
    # Metrics have a port of their own, which no Service publishes; 0: none.
    metrics_port: int = Field(default=9000, ge=0, le=65535)

    log_level: str = "INFO"


@lru_cache
def get_settings() -> Settings:
    """Returns the settings, read once."""
    return Settings()


def read_secret(path: Path | None) -> str | None:
    """Returns the secret in a file, or None when it is absent or empty.

    It is read on every use, so a rotated secret needs no restart.
    """
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None
