"""TLS to the database: its own authority, a wrong one, a wrong host name, a man in the middle."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from fastapi.testclient import TestClient

from todo_backend import migrate
from todo_backend.app import create_app
from todo_backend.settings import Settings, get_settings

from .certificates import authority, server_certificate
from .conftest import environment, new_user
from .interceptor import Interceptor
from .postgres import Throwaway, throwaway

HOST = "localhost"
OTHER_HOST = "127.0.0.1"  # the same server by a name that its certificate does not have


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def tls_server(folder: Path) -> Iterator[Throwaway]:
    server = throwaway() if shutil.which("openssl") else None
    if server is None:
        pytest.skip("no PostgreSQL of our own with TLS: install postgresql and openssl")
    try:
        certificate, key = folder / "server.crt", folder / "server.key"
        server_certificate(authority(folder, "own"), HOST, certificate, key)
        authority(folder, "other")
        server.require_tls(certificate, key)
        yield server
    finally:
        server.close()


@pytest.fixture
def verifying(
    tls_server: Throwaway, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """Returns settings for an empty database, with the server's name and authority verified."""
    name = tls_server.create_database()
    values = {
        **environment(tls_server, name, tmp_path),
        "DATABASE_HOST": HOST,
        "DATABASE_SSLMODE": "verify-full",
        "DATABASE_SSLROOTCERT": str(folder / "own.crt"),
    }
    for key, value in values.items():
        monkeypatch.setenv(key, value)
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()
    tls_server.drop_database(name)


def served(settings: Settings, monkeypatch: pytest.MonkeyPatch, **changed: str) -> int:
    """Returns what /ready answers once some variables are different."""
    for key, value in changed.items():
        monkeypatch.setenv(key.upper(), value)
    get_settings.cache_clear()
    with TestClient(create_app()) as client:
        return client.get("/ready").status_code


def test_the_right_authority_and_host_name_connect(
    verifying: Settings, tls_server: Throwaway
) -> None:
    migrate.upgrade(verifying, wait_seconds=120)
    with TestClient(create_app()) as client, tls_server.connect() as admin:
        assert client.get("/ready").status_code == 200
        new_user(client)
        encrypted = admin.execute(
            "SELECT bool_and(ssl), count(*) > 0 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
            " WHERE application_name = 'todo-backend'"
        )
        assert encrypted.fetchone() == (True, True)


def refused(settings: Settings, **changed: object) -> str:
    """Returns why the migration does not connect."""
    with pytest.raises(TimeoutError) as gave_up:
        migrate.upgrade(settings.model_copy(update=changed), wait_seconds=0.1)
    return str(gave_up.value)


def test_another_authority_is_refused_and_the_log_says_so(
    verifying: Settings,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    migrate.upgrade(verifying, wait_seconds=120)
    other = folder / "other.crt"
    assert "certificate verify failed" in refused(verifying, database_sslrootcert=other)
    assert served(verifying, monkeypatch, database_sslrootcert=str(other)) == 503
    assert "certificate verify failed" in capsys.readouterr().out


def test_another_host_name_is_refused_and_the_log_says_so(
    verifying: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate.upgrade(verifying, wait_seconds=120)
    assert "does not match host name" in refused(verifying, database_host=OTHER_HOST)
    assert served(verifying, monkeypatch, database_host=OTHER_HOST) == 503
    assert "does not match host name" in capsys.readouterr().out


def test_verify_ca_takes_another_host_name_but_no_other_authority(
    verifying: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate.upgrade(verifying, wait_seconds=120)
    changed = {"database_sslmode": "verify-ca", "database_host": OTHER_HOST}
    assert served(verifying, monkeypatch, **changed) == 200
    other = str(folder / "other.crt")
    assert served(verifying, monkeypatch, **changed, database_sslrootcert=other) == 503


def test_without_a_bundle_the_public_authorities_count(
    verifying: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A private authority is none of them, but libpq misses no file either."""
    reason = refused(verifying, database_sslrootcert=None)
    assert "certificate verify failed" in reason
    assert "does not exist" not in reason


def test_a_man_in_the_middle_is_noticed_without_knowing_any_authority(
    verifying: Settings, tls_server: Throwaway, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate.upgrade(verifying, wait_seconds=120)
    bound = {"database_sslmode": "require", "database_channel_binding": "require"}
    monkeypatch.delenv("DATABASE_SSLROOTCERT")
    assert served(verifying, monkeypatch, **bound) == 200

    certificate, key = folder / "middle.crt", folder / "middle.key"
    server_certificate(folder / "other.crt", HOST, certificate, key)
    port = int(tls_server.parameters["port"])
    middle = Interceptor((OTHER_HOST, port), certificate, key)
    try:
        through = {"database_host": OTHER_HOST, "database_port": str(middle.port)}
        # Without channel binding nobody would notice: so the interceptor does work.
        unbound = bound | {"database_channel_binding": "disable"}
        assert served(verifying, monkeypatch, **through, **unbound) == 200
        assert served(verifying, monkeypatch, **through, **bound) == 503
    finally:
        middle.close()


def test_a_password_is_not_sent_in_the_clear(verifying: Settings) -> None:
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        psycopg.connect(
            host=OTHER_HOST,
            port=verifying.database_port,
            user=verifying.database_user,
            dbname=verifying.database_name,
            password="any",
            sslmode="disable",
        )
