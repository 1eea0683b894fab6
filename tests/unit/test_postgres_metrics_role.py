"""The role with which a server's metrics are read, on a real server."""

from pathlib import Path

import pytest

from components.postgres.metrics_role import PASSWORD_PATH, ROLE, ROLE_SCRIPTS
from tests.postgres_server import AVAILABLE, Server, server

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="PostgreSQL is not installed")


def make_role(running: Server, folder: Path, password: str) -> None:
    """Runs the script, as a new volume does, or a person in the pod of an older one."""
    (folder / "password").write_text(password)
    (script,) = ROLE_SCRIPTS.values()
    variables = ["POSTGRES_USER=postgres", "POSTGRES_DB=postgres"]
    command = ["env", *variables, "sh", "-c", script.replace(PASSWORD_PATH, str(folder))]
    done = running.run("", "", command)
    assert done.code == 0, done.err


def test_the_role_signs_in_and_sees_statistics_but_no_data(tmp_path: Path) -> None:
    with server("postgres") as running:
        running.sql("CREATE TABLE private (v text)", user="postgres")
        make_role(running, tmp_path, "first")
        assert running.accepts(ROLE, "first", "postgres")
        asked = (
            "SELECT pg_has_role(oid, 'pg_monitor', 'member'), "
            "has_table_privilege(oid, 'private', 'SELECT'), "
            "rolsuper OR rolcreaterole OR rolcreatedb "
            "FROM pg_roles WHERE rolname = 'metrics_exporter'"
        )
        assert running.sql(asked, user="postgres") == "t|f|f"
        with pytest.raises(AssertionError, match="read-only transaction"):
            running.sql("CREATE TABLE more (v text)", user=ROLE)


def test_the_script_may_be_run_again_and_takes_the_password_of_then(tmp_path: Path) -> None:
    with server("postgres") as running:
        for password in ("first", "second"):
            make_role(running, tmp_path, password)
        assert running.accepts(ROLE, "second", "postgres")
        assert not running.accepts(ROLE, "first", "postgres")
