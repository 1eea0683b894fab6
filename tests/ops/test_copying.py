"""Copying a server on two real ones: all of it arrives, readers go on, what is cut off goes on."""

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import pytest

from console.failure import Failure
from ops.copying.comparison import compare_servers, require_equal
from ops.copying.copying import COPIER, copy_server, drop_copier
from ops.copying.freeze import freeze, is_frozen, stamp, thaw
from ops.copying.hindrances import left_settings, require_copyable
from ops.copying.one_database import copy_database
from ops.copying.server import Server
from ops.kube import Cluster, Ran
from ops.retry import BrokenError
from tests.certificates import authority
from tests.ops.scratch_server import SUPERUSER, programs
from tests.ops.scratch_server import Server as Scratch

_CONTENT = """
CREATE ROLE app LOGIN CREATEDB PASSWORD 'secret';
CREATE ROLE reader LOGIN CONNECTION LIMIT 3;
ALTER ROLE reader SET statement_timeout = '10s';
GRANT pg_monitor TO reader;
CREATE DATABASE todo OWNER app;
ALTER DATABASE todo SET timezone = 'Europe/Berlin';
COMMENT ON DATABASE todo IS 'the application''s';
CREATE DATABASE "Some one's" OWNER app;
CREATE TABLE note(v text);
INSERT INTO note VALUES ('in postgres');
"""
_TABLES = """
SET ROLE app;
CREATE TABLE todos(id bigserial PRIMARY KEY, title text, done float8 DEFAULT 0.1);
INSERT INTO todos(title) SELECT 'todo ' || n FROM generate_series(1, 500) n;
CREATE INDEX ON todos(title);
GRANT SELECT ON todos TO reader;
SELECT lo_from_bytea(4711, 'large');
"""
# What somebody may have beside the application's own tables.
_RICH = """
CREATE EXTENSION file_fdw;
CREATE EXTENSION pg_trgm;
SET ROLE app;
CREATE SCHEMA shop;
COMMENT ON SCHEMA shop IS 'what is sold';
CREATE TYPE shop.state AS ENUM ('new', 'paid');
CREATE COLLATION shop.numbers (provider = icu, locale = 'en-u-kn-true');
CREATE SEQUENCE shop.receipts INCREMENT 5;
SELECT nextval('shop.receipts');
CREATE TABLE shop.lines(
  id int GENERATED ALWAYS AS IDENTITY (START 7), item text COLLATE shop.numbers, state shop.state,
  price numeric CHECK (price >= 0), twice numeric GENERATED ALWAYS AS (price * 2) STORED,
  receipt bigint DEFAULT nextval('shop.receipts'), PRIMARY KEY (id, state)
) PARTITION BY LIST (state);
CREATE TABLE shop.lines_new PARTITION OF shop.lines FOR VALUES IN ('new');
CREATE TABLE shop.lines_rest PARTITION OF shop.lines DEFAULT;
ALTER SEQUENCE shop.receipts OWNED BY shop.lines.receipt;
INSERT INTO shop.lines(item, state, price) VALUES ('a10', 'new', 1.5), ('a9', 'paid', 2);
CREATE UNLOGGED TABLE shop.seen(at timestamptz DEFAULT now());
INSERT INTO shop.seen DEFAULT VALUES;
CREATE INDEX ON shop.lines USING gin (item gin_trgm_ops);
CREATE STATISTICS shop.both ON item, price FROM shop.lines_new;
COMMENT ON COLUMN shop.lines.price IS 'without taxes';
CREATE FUNCTION shop.total() RETURNS numeric LANGUAGE sql AS 'SELECT sum(price) FROM shop.lines';
CREATE VIEW shop.paid AS SELECT * FROM shop.lines WHERE state = 'paid';
CREATE FUNCTION shop.noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER noted BEFORE UPDATE ON shop.lines FOR EACH ROW EXECUTE FUNCTION shop.noted();
ALTER TABLE shop.lines ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON shop.lines TO reader USING (price < 9);
CREATE POLICY ours ON shop.lines USING (price < 2);
CREATE MATERIALIZED VIEW shop.sums AS SELECT state, sum(price) FROM shop.lines GROUP BY 1;
GRANT USAGE ON SCHEMA shop TO reader;
GRANT SELECT (item), UPDATE (item) ON shop.lines TO reader WITH GRANT OPTION;
REVOKE EXECUTE ON FUNCTION shop.total() FROM public;
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO reader;
RESET ROLE;
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE FUNCTION public.watched() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
ALTER FUNCTION public.watched() OWNER TO app;
CREATE EVENT TRIGGER watching ON ddl_command_start EXECUTE FUNCTION public.watched();
"""
_DESCRIBED = (
    "SELECT nspname, nspacl, obj_description(oid, 'pg_namespace') FROM pg_namespace "
    "WHERE nspname !~ '^pg_' ORDER BY 1;",
    "SELECT oid::regclass, relkind, relpersistence, relacl, relrowsecurity, relforcerowsecurity "
    "FROM pg_class WHERE relnamespace = 'shop'::regnamespace ORDER BY relname;",
    "SELECT attrelid::regclass, attname, format_type(atttypid, atttypmod), attidentity, "
    "attgenerated, attacl, c.collname, col_description(attrelid, attnum), "
    "pg_get_expr(adbin, adrelid) FROM pg_attribute a LEFT JOIN pg_attrdef ON adrelid = attrelid "
    "AND adnum = attnum LEFT JOIN pg_collation c ON c.oid = attcollation WHERE attnum > 0 AND "
    "attrelid::regclass::text ~ '^shop' ORDER BY attrelid::regclass::text, 2;",
    "SELECT schemaname, sequencename, start_value, increment_by, last_value, "
    "pg_get_serial_sequence('shop.lines', 'receipt') FROM pg_sequences ORDER BY 1, 2;",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'shop' ORDER BY 1;",
    "SELECT pg_get_constraintdef(oid) FROM pg_constraint ORDER BY 1;",
    # PostgreSQL 17 has another name for it.
    "SELECT coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale') "
    "FROM pg_collation c WHERE collname = 'numbers';",
    "SELECT tgname, tgenabled FROM pg_trigger ORDER BY tgrelid::regclass::text, 1;",
    "SELECT polname, polroles::regrole[], pg_get_expr(polqual, polrelid) FROM pg_policy "
    "ORDER BY 1;",
    "SELECT proname, proacl FROM pg_proc WHERE pronamespace = 'shop'::regnamespace ORDER BY 1;",
    "SELECT defaclrole::regrole, defaclacl FROM pg_default_acl;",
    "SELECT pubname, puballtables, pg_get_userbyid(pubowner) FROM pg_publication;",
    "SELECT evtname, evtenabled, evtfoid::regproc FROM pg_event_trigger;",
    "SELECT stxname FROM pg_statistic_ext;",
    "SELECT * FROM shop.paid;",
    "SELECT * FROM shop.sums;",
)


class Local:
    """Two scratch servers as the pods of a cluster, with what is asked of them."""

    def __init__(self, pods: dict[str, Scratch]) -> None:
        self.pods = pods
        self.policies: dict[str, Any] = {}
        self.allowed: list[set[str]] = []
        self.breaking, self.times, self.broken = "", 0, 0
        """In which command the connection breaks, how often, and how often it did."""

    def run(
        self, pod: str, container: str, command: Sequence[str], stdin: str = "", *, once: bool
    ) -> Ran:
        assert container == "postgres"
        assert once, "what is run again has to be begun anew first"
        if command[0] == "bash":
            self.allowed.append({*self.policies})
        done = subprocess.run(
            command,
            input=stdin,
            env=self.pods[pod].environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        if self.broken < self.times and any(self.breaking in it for it in command):
            self.broken += 1
            raise BrokenError(pod)
        return Ran(done.returncode, done.stdout, done.stderr)

    def find(self, kind: str, name: str) -> Any:
        if kind == "Pod" and name in self.pods:
            return {"metadata": {"labels": {"name": name}}, "status": {"podIP": "127.0.0.1"}}
        return self.policies.get(name) if kind == "NetworkPolicy" else None

    def create(self, kind: str, body: Any) -> None:
        assert kind == "NetworkPolicy"
        self.policies[body["metadata"]["name"]] = body

    def delete(self, kind: str, name: str) -> None:
        assert kind == "NetworkPolicy"
        self.policies.pop(name, None)

    def server(self, pod: str) -> Server:
        port = self.pods[pod].port
        return Server(cast("Cluster", self), pod, "postgres", SUPERUSER, port)


def _scratch() -> Scratch:
    found = programs()
    if found is None or shutil.which("openssl") is None:
        pytest.skip("no PostgreSQL server programs, or no openssl")
    return Scratch(found)


@pytest.fixture
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    pods = {"old": _scratch(), "new": _scratch()}
    old = pods["old"]
    old.encrypt(*authority(tmp_path_factory.mktemp("certificate"), "old"), role=COPIER)
    old.sql(_CONTENT)
    old.sql(_TABLES, "todo")
    yield Local(pods)
    for it in pods.values():
        it.close()


@pytest.fixture
def old(local: Local) -> Server:
    return local.server("old")


@pytest.fixture
def new(local: Local) -> Server:
    return local.server("new")


def _roles(server: Server) -> str:
    return server.sql(
        "SELECT rolname, rolsuper, rolcreatedb, rolconnlimit, rolpassword, rolconfig "
        "FROM pg_authid a LEFT JOIN LATERAL (SELECT setconfig AS rolconfig FROM pg_db_role_setting "
        "WHERE setrole = a.oid AND setdatabase = 0) s ON true "
        "WHERE rolname !~ '^pg_' ORDER BY 1;"
    )


def test_all_that_a_server_has_is_copied_and_equal(local: Local, old: Server, new: Server) -> None:
    freeze(old)
    databases = old.databases()
    assert set(databases) == {"todo", "Some one's", "postgres"}
    for _ in range(2):  # what was cut off is done anew
        copy_server(old, new, databases)
    tables = compare_servers(old, new, {name: name for name in databases})
    require_equal(tables)
    assert {it.table for it in tables} >= {
        "todo public.todos",
        "todo sequence public.todos_id_seq",
        "postgres public.note",
    }
    assert _roles(new) == _roles(old)
    assert "app|f|t|-1|SCRAM-SHA-256$" in _roles(new)
    assert COPIER not in _roles(new) + _roles(old)
    settings = (
        "SELECT datname, pg_get_userbyid(datdba), shobj_description(oid, 'pg_database') "
        "FROM pg_database ORDER BY 1;"
    )
    assert new.sql(settings) == old.sql(settings)
    assert new.sql("SHOW timezone;", database="todo") == old.sql("SHOW timezone;", database="todo")
    rights = "SELECT relacl, pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'todos';"
    assert new.sql(rights, database="todo") == old.sql(rights, database="todo")
    large = "SELECT convert_from(lo_get(4711), 'UTF8');"
    assert new.sql(large, database="todo") == "large\n"
    thaw(new)
    local.pods["new"].sql("INSERT INTO todos(title) VALUES ('written')", "todo", "app")


def test_the_copy_goes_through_a_passage_that_is_closed_again(
    local: Local, old: Server, new: Server
) -> None:
    copy_server(old, new, ["todo"])
    assert all(it == {"database-copy-in", "database-copy-out"} for it in local.allowed)
    assert local.allowed
    assert local.policies == {}


def test_a_policy_and_a_role_of_somebody_else_are_left_alone(
    local: Local, old: Server, new: Server
) -> None:
    theirs = {"metadata": {"name": "database-copy-in"}}
    local.policies["database-copy-in"] = theirs
    with pytest.raises(Failure, match="NetworkPolicy database-copy-in that this program did not"):
        copy_server(old, new, ["todo"])
    assert local.policies == {"database-copy-in": theirs}
    local.policies.clear()
    old.sql(f"CREATE ROLE {COPIER} PASSWORD 'theirs';")
    before = _roles(old)
    with pytest.raises(Failure, match=f"a role {COPIER} that this program did not make"):
        copy_server(old, new, ["todo"])
    drop_copier(old)
    assert _roles(old) == before


def test_another_stamp_says_that_people_could_write(local: Local, old: Server) -> None:
    assert stamp(old) == ""
    freeze(old)
    first = stamp(old)
    freeze(old)
    assert stamp(old) == first
    thaw(old)
    freeze(old)
    assert stamp(old) not in {"", first}


def test_who_reads_goes_on_while_nobody_writes(local: Local, old: Server) -> None:
    scratch = local.pods["old"]
    freeze(old)
    freeze(old)
    assert is_frozen(old)
    assert scratch.sql("SELECT count(*) FROM todos", "todo", "app") == "500"
    with pytest.raises(AssertionError, match="read-only transaction"):
        scratch.sql("INSERT INTO todos(title) VALUES ('lost')", "todo", "app")
    thaw(old)
    assert not is_frozen(old)
    scratch.sql("INSERT INTO todos(title) VALUES ('kept')", "todo", "app")


def test_a_database_that_somebody_made_read_only_stays_so(local: Local, old: Server) -> None:
    scratch = local.pods["old"]
    scratch.sql('ALTER DATABASE "Some one\'s" SET default_transaction_read_only = on')
    freeze(old)
    thaw(old)
    with pytest.raises(AssertionError, match="read-only transaction"):
        scratch.sql("CREATE TABLE t()", "Some one's", "app")
    scratch.sql("CREATE TABLE t()", "todo", "app")


def _emptied(local: Local) -> Callable[[], str]:
    """Returns what makes an empty database for the role `other` on the new server."""

    def empty() -> str:
        local.pods["new"].sql("DROP DATABASE IF EXISTS beside WITH (FORCE)")
        local.pods["new"].sql("CREATE DATABASE beside TEMPLATE template0 OWNER other")
        return "beside"

    return empty


def test_one_database_is_copied_beside_another(local: Local, old: Server, new: Server) -> None:
    local.pods["new"].sql("CREATE ROLE other")
    left = copy_database(old, new, "todo", _emptied(local), "other")
    require_equal(compare_servers(old, new, {"todo": "beside"}))
    owner = "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'todos';"
    assert new.sql(owner, database="beside") == "other\n"
    assert any('role "reader" does not exist: GRANT SELECT ON TABLE' in it for it in left)


def test_one_database_is_copied_with_all_that_somebody_has_in_it(
    local: Local, old: Server, new: Server
) -> None:
    local.pods["old"].sql(_RICH, "todo")
    local.pods["new"].sql("CREATE ROLE other; CREATE ROLE reader; CREATE ROLE app")
    assert copy_database(old, new, "todo", _emptied(local), "other") == []
    require_equal(compare_servers(old, new, {"todo": "beside"}))
    assert new.sql("TABLE shop.sums;", database="beside") == "new|1.5\n"
    for what in _DESCRIBED:
        there = new.sql(what, database="beside").replace("other", "app")
        assert there == old.sql(what, database="todo"), what
    # What is trusted belongs to the application, which may update it.
    extensions = "SELECT extname, pg_get_userbyid(extowner) FROM pg_extension ORDER BY 1;"
    assert new.sql(extensions, database="beside").splitlines() == [
        "file_fdw|postgres",
        "pg_trgm|other",
        "plpgsql|postgres",
    ]
    drop = "DROP TABLE shop.lines CASCADE; SELECT shop.total();"
    with pytest.raises(Failure, match=r"relation .*lines.* does not exist"):
        new.sql(f"BEGIN; SET ROLE other; {drop}", database="beside")


def test_a_whole_server_is_copied_with_all_that_somebody_has_in_it(
    local: Local, old: Server, new: Server
) -> None:
    local.pods["old"].sql(_RICH, "todo")
    local.pods["old"].sql(
        "CREATE DATABASE mould IS_TEMPLATE true; ALTER ROLE postgres SET work_mem = '3MB';"
        "ALTER ROLE app IN DATABASE todo SET work_mem = '2MB'"
    )
    local.pods["old"].sql("CREATE TABLE kept AS SELECT 1 AS n", "mould")
    freeze(old)
    databases = old.databases()
    for _ in range(2):
        copy_server(old, new, databases)
    tables = compare_servers(old, new, {name: name for name in databases})
    require_equal(tables)
    assert {"mould public.kept", "todo large objects"} <= {it.table for it in tables}
    for what in _DESCRIBED:
        assert new.sql(what, database="todo") == old.sql(what, database="todo"), what
    settings = (
        "SELECT rolname, datname, setconfig FROM pg_db_role_setting LEFT JOIN pg_roles r "
        "ON r.oid = setrole LEFT JOIN pg_database d ON d.oid = setdatabase "
        "WHERE datname IS DISTINCT FROM 'postgres' ORDER BY 1, 2;"
    )
    assert new.sql(settings) == old.sql(settings)
    assert "postgres||{work_mem=3MB}" in new.sql(settings)


def test_a_large_object_that_differs_is_no_copy(local: Local, old: Server, new: Server) -> None:
    copy_server(old, new, ["todo"])
    # Older versions let also who may only read write these.
    local.pods["old"].sql("SELECT lo_put(4711, 3, 'G')", "todo")
    with pytest.raises(Failure, match=r"differs from what it was made of \(todo large objects\)"):
        require_equal(compare_servers(old, new, {"todo": "todo"}))


@pytest.mark.parametrize("step", ["pg_dumpall", "pg_dump ", "vacuumdb"])
def test_a_connection_that_breaks_is_made_again_and_the_step_begun_anew(
    local: Local, old: Server, new: Server, step: str
) -> None:
    local.breaking, local.times = step, 2
    copy_server(old, new, ["todo"])
    require_equal(compare_servers(old, new, {"todo": "todo"}))
    assert local.broken == 2


def test_an_answer_that_is_lost_does_not_fail_the_copy_of_one_database(
    local: Local, old: Server, new: Server
) -> None:
    local.pods["new"].sql("CREATE ROLE other; CREATE ROLE reader; CREATE ROLE app")
    local.breaking, local.times = "--section=", 1
    assert copy_database(old, new, "todo", _emptied(local), "other") == []
    require_equal(compare_servers(old, new, {"todo": "beside"}))
    assert local.broken == 1


def test_a_connection_that_breaks_each_time_is_said_in_a_sentence_and_leaves_nothing(
    local: Local, old: Server, new: Server
) -> None:
    local.breaking, local.times = "pg_dumpall", 9
    with pytest.raises(Failure, match="connection to a command in the pod new broke; run this ag"):
        copy_server(old, new, ["todo"])
    assert local.policies == {}
    assert COPIER not in _roles(old)


@pytest.mark.parametrize(
    ("made", "sentence", "undone"),
    [
        (
            "ALTER ROLE app SET default_transaction_read_only = off",
            "The role app may write whatever its database says",
            "ALTER ROLE app RESET default_transaction_read_only",
        ),
        (
            "ALTER DATABASE todo ALLOW_CONNECTIONS false",
            "The database todo takes no connections",
            "ALTER DATABASE todo ALLOW_CONNECTIONS true",
        ),
        (
            "CREATE SUBSCRIPTION mine CONNECTION 'host=x' PUBLICATION p "
            "WITH (connect = false, slot_name = 'mine'); "
            "UPDATE pg_subscription SET subenabled = true",
            "The subscription mine would go on writing",
            "ALTER SUBSCRIPTION mine DISABLE",
        ),
    ],
)
def test_who_would_go_on_writing_or_be_left_out_is_said_before_anything_is_stopped(
    old: Server, made: str, sentence: str, undone: str
) -> None:
    require_copyable(old, old.databases())
    old.sql(made)
    with pytest.raises(Failure, match=sentence):
        require_copyable(old, old.databases())
    old.sql(undone)
    require_copyable(old, old.databases())


def test_a_prepared_transaction_and_a_reader_of_changes_are_said_before_anything_is_stopped(
    local: Local, old: Server
) -> None:
    scratch = local.pods["old"]
    scratch.sql("ALTER SYSTEM SET max_prepared_transactions = 2")
    scratch.sql("ALTER SYSTEM SET wal_level = logical")
    scratch.restart()
    scratch.sql("ALTER DATABASE postgres SET work_mem = '2MB'")
    left = ["max_prepared_transactions", "ssl", "wal_level", "work_mem"]
    assert left_settings(old) == left
    scratch.sql("BEGIN; UPDATE todos SET done = 1; PREPARE TRANSACTION 'mine'", "todo")
    with pytest.raises(Failure, match="The transaction mine is prepared"):
        require_copyable(old, ["todo"])
    require_copyable(old, ["postgres"])
    scratch.sql("COMMIT PREPARED 'mine'", "todo")
    scratch.sql("SELECT pg_create_logical_replication_slot('theirs', 'pgoutput')", "todo")
    with pytest.raises(Failure, match="The replication slot theirs has a reader"):
        require_copyable(old, ["todo"])
    scratch.sql("SELECT pg_drop_replication_slot('theirs')", "todo")
    require_copyable(old, ["todo"])


def test_a_copy_that_differs_is_no_copy(old: Server, new: Server, local: Local) -> None:
    copy_server(old, new, ["todo"])
    for change in ("UPDATE todos SET title = '' WHERE id = 7", "SELECT nextval('todos_id_seq')"):
        local.pods["old"].sql(change, "todo")
        with pytest.raises(Failure, match="The copy differs from what it was made of"):
            require_equal(compare_servers(old, new, {"todo": "todo"}))
        copy_server(old, new, ["todo"])


def test_what_fails_is_one_sentence_and_leaves_nothing(
    local: Local, old: Server, new: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.copying.copying._DATABASE", "echo 'ERROR:  no room' >&2; exit 1")
    with pytest.raises(Failure, match="The database todo could not be copied from old to new: no "):
        copy_server(old, new, ["todo"])
    assert local.policies == {}
    assert COPIER not in _roles(old)


def test_an_extension_that_the_new_server_lacks_is_said_before_anything(
    old: Server, new: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Server.sql

    def sql(self: Server, statements: str, **options: Any) -> str:
        if "pg_extension" in statements:
            return "plpgsql\npostgis\n"
        return real(self, statements, **options)

    monkeypatch.setattr(Server, "sql", sql)
    with pytest.raises(Failure, match="lacks the extensions postgis"):
        copy_server(old, new, ["todo"])
