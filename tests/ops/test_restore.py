"""Restoring on a real server: the commands with their own SQL and scripts, for every name."""

import subprocess
from collections.abc import Callable
from shlex import quote
from types import SimpleNamespace

import pytest

from components.postgres.backup_script import BACKUP_SCRIPT
from console.failure import Failure
from ops import scripts
from ops.commands import restore
from ops.database_names import Purpose, derived
from ops.verdicts import DRILL
from tests.ops.scratch_server import Deployed, until

Deploy = Callable[..., Deployed]
# On volumes of earlier versions the application's role is the superuser.
RIGHTS = pytest.mark.parametrize(
    "deploy", [False, True], ids=["own role", "superuser"], indirect=True
)
NAMES = pytest.mark.parametrize("name", ["t", *("n" * size for size in (50, 62, 63))])


@NAMES
def test_a_drill_leaves_the_live_database_as_it_is(name: str, deploy: Deploy) -> None:
    stack = deploy(name)
    stack.dump()
    stack.sql("CREATE TABLE canary(v text)")
    before = stack.oid()
    for fresh in (False, True):
        stack.drill(fresh=fresh)
    assert stack.oid() == before
    assert stack.sql("SELECT count(*) FROM canary") == "0"
    assert stack.server.databases() == {name}


@NAMES
def test_a_restore_puts_the_backup_in_place_and_undo_takes_it_back(
    name: str, deploy: Deploy
) -> None:
    stack = deploy(name)
    stack.dump()
    stack.sql("UPDATE todos SET title = 'damaged'")
    damaged = stack.oid()
    for _ in range(2):
        stack.restore()
        assert stack.sql("SELECT title FROM todos") == "first"
        assert stack.oid() != damaged
    stack.sql("UPDATE todos SET title = 'after the restore'")
    for title in ("first", "after the restore"):
        stack.restore(undo=True)
        assert stack.sql("SELECT title FROM todos") == title
    assert len(stack.server.databases()) == 2
    stack.restore(drop_old=True)
    assert stack.server.databases() == {name}


@pytest.mark.parametrize("name", ["todo", "n" * 63])
@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_database_of_somebody_else_is_refused_and_left_alone(
    name: str, purpose: Purpose, deploy: Deploy
) -> None:
    stack = deploy(name)
    stack.dump()
    taken = derived(name, purpose).name
    stack.server.sql(f'CREATE DATABASE "{taken}"; COMMENT ON DATABASE "{taken}" IS \'mine\'')
    stack.server.sql("CREATE TABLE mine(v int)", taken)
    live = stack.oid()
    command = stack.drill if purpose == Purpose.RESTORE_DRILL else stack.restore
    with pytest.raises(Failure, match=f"There is a database {taken} without this program's mark"):
        command()
    assert stack.oid() == live
    assert stack.server.sql("SELECT count(*) FROM mine", taken) == "0"


@pytest.mark.parametrize("script", [scripts.LOAD, scripts.DRILL], ids=["load", "drill"])
def test_the_scripts_themselves_refuse_what_they_did_not_make(script: str, deploy: Deploy) -> None:
    stack = deploy("n" * 63)
    stack.dump()
    live = stack.oid()
    stack.server.sql("CREATE DATABASE mine")
    for scratch in ("mine", stack.name, f"{stack.name}_restored"):
        done = stack.run(script, SCRATCH=scratch, MARK="a mark")
        assert done.returncode != 0, done.stdout
    assert stack.oid() == live
    assert stack.sql("SELECT count(*) FROM todos") == "1"
    assert stack.server.databases() == {"mine", stack.name}


def test_undo_refuses_a_database_that_no_restore_kept(deploy: Deploy) -> None:
    stack = deploy()
    stack.server.sql("CREATE DATABASE todo_before_restore")
    live = stack.oid()
    with pytest.raises(Failure, match="COMMENT ON DATABASE"):
        stack.restore(undo=True)
    assert stack.oid() == live


@RIGHTS
def test_what_belongs_to_the_database_itself_stays(deploy: Deploy) -> None:
    stack = deploy()
    stack.server.sql(
        'ALTER DATABASE todo SET search_path TO "$user", public;'
        "ALTER DATABASE todo SET timezone TO 'Europe/Berlin';"
        "ALTER DATABASE todo CONNECTION LIMIT 42;"
        "REVOKE CONNECT ON DATABASE todo FROM PUBLIC;"
        "COMMENT ON DATABASE todo IS 'keep' ;"
    )
    about = (
        "SELECT datconnlimit, (SELECT array_agg(acl::text ORDER BY acl::text) FROM unnest(datacl) "
        "acl), pg_get_userbyid(datdba), shobj_description(oid, "
        "'pg_database'), (SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = oid) "
        "FROM pg_database WHERE datname = 'todo'"
    )
    before = stack.sql(about)
    stack.dump()
    stack.drill(fresh=True)
    stack.restore()
    assert stack.sql(about) == before
    stack.restore(undo=True)
    assert stack.sql(about) == before


@pytest.mark.parametrize("undo", [False, True], ids=["restore", "undo"])
def test_what_another_restore_has_made_meanwhile_takes_nobodys_place(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch, *, undo: bool
) -> None:
    stack = deploy()
    stack.dump()
    if undo:
        stack.restore()
    stack.sql("UPDATE todos SET title = 'precious'")
    live = stack.oid()
    purpose = Purpose.BEFORE_RESTORE if undo else Purpose.RESTORED
    taken = derived(stack.name, purpose)

    def begun_by_another() -> None:
        """As another restore does, whose load is not at its end."""
        stack.server.sql(f'DROP DATABASE "{taken.name}"')
        stack.server.sql(f'CREATE DATABASE "{taken.name}"')
        stack.server.sql(f"COMMENT ON DATABASE \"{taken.name}\" IS '{taken.mark}'")

    writers = SimpleNamespace(stop=begun_by_another, start=lambda: None)
    monkeypatch.setattr(restore, "Writers", lambda *_: writers)
    with pytest.raises(Failure, match=f"Another drill or restore has dropped {taken.name}"):
        stack.restore(undo=undo)
    assert stack.oid() == live
    assert stack.sql("SELECT title FROM todos") == "precious"


def test_a_load_that_fails_leaves_alone_what_another_has_made_anew(deploy: Deploy) -> None:
    stack = deploy()
    stack.dump()
    taken = derived(stack.name, Purpose.RESTORED)
    theirs = (
        f'DROP DATABASE "{taken.name}"; CREATE DATABASE "{taken.name}"; '
        f"COMMENT ON DATABASE \"{taken.name}\" IS '{taken.mark}'"
    )
    begin = "begin=$(date +%s%N)\n"
    another = "".join(f"psql -X -q -d postgres -c {quote(it)}\n" for it in theirs.split("; "))
    script = scripts.LOAD.replace(begin, f"{begin}{another}exit 1\n")
    done = stack.run(script, SCRATCH=taken.name, MARK=taken.mark)
    assert done.returncode == 1
    assert taken.name in stack.server.databases()


def test_nothing_is_put_in_place_that_an_upgrade_would_leave_behind(deploy: Deploy) -> None:
    stack = deploy()
    stack.dump()
    live = stack.oid()
    # As an upgrade does that stops the writes (ops/copying/freeze.py).
    stack.server.sql("ALTER DATABASE todo SET todo_ops.frozen = '1'")
    for options in ({}, {"undo": True}):
        with pytest.raises(Failure, match=r"An upgrade .* was cut off, .* python -m ops upgrade-"):
            stack.restore(**options)
    assert stack.oid() == live
    stack.server.sql("ALTER DATABASE todo RESET todo_ops.frozen")
    stack.restore()
    assert stack.oid() != live


def test_a_swap_that_did_not_happen_is_a_failure(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = deploy()
    stack.dump()
    monkeypatch.setattr("ops.database_swap._REPLACE", "SELECT 1;")
    with pytest.raises(Failure, match="is still the database it was"):
        stack.restore()


def test_how_the_newest_drill_ended_is_noted_for_alerts(deploy: Deploy) -> None:
    stack = deploy()
    with pytest.raises(Failure, match="no backup yet"):
        stack.drill()
    assert stack.notes == {DRILL: "failed"}
    stack.dump()
    stack.drill()
    assert stack.notes == {DRILL: "ok"}
    # What no other database may hold cannot be restored beside it.
    stack.sql("CREATE TABLE here(v int CHECK (current_database() = 'todo'))")
    stack.sql("INSERT INTO here VALUES (1)")
    with pytest.raises(Failure, match="COPY here"):
        stack.drill(dump=stack.dump())
    assert stack.notes == {DRILL: "failed"}


def test_a_drill_that_could_not_begin_is_no_verdict_on_the_backups(deploy: Deploy) -> None:
    stack = deploy()
    stack.dump()
    stack.drill()
    with pytest.raises(Failure, match="there is no backup nope"):
        stack.drill(dump="nope")
    assert stack.notes == {DRILL: "ok"}


@RIGHTS
def test_grants_to_a_role_that_is_gone_are_told_and_the_rest_is_restored(
    deploy: Deploy, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = deploy()
    stack.server.sql("CREATE ROLE report; CREATE ROLE stays")
    try:
        stack.server.sql(
            "GRANT SELECT ON todos TO report, stays;"
            "ALTER DEFAULT PRIVILEGES FOR ROLE app GRANT SELECT ON TABLES TO report;"
            "ALTER TABLE todos ENABLE ROW LEVEL SECURITY;"
            "CREATE POLICY own ON todos TO report USING (true);"
            "CREATE PUBLICATION everything FOR ALL TABLES;"
            "CREATE EXTENSION pg_trgm; COMMENT ON EXTENSION pg_trgm IS 'words';"
            "CREATE SCHEMA more; CREATE EXTENSION citext SCHEMA more;"
            "CREATE EXTENSION pg_buffercache;",
            "todo",
        )
        stack.dump()
        stack.server.sql("DROP OWNED BY report; DROP ROLE report", "todo")
        stack.drill()
        shown = capsys.readouterr().out
        assert "RESTORABLE" in shown
        assert 'not restored: role "report" does not exist' in shown
        stack.restore()
        assert stack.sql("SELECT title FROM todos") == "first"
        assert stack.sql("SELECT has_table_privilege('stays', 'todos', 'SELECT')") == "t"
    finally:
        for name in stack.server.databases():
            stack.server.sql("DROP OWNED BY stays", name)
        stack.server.sql("DROP ROLE stays; DROP ROLE IF EXISTS report")


def test_the_first_and_every_later_restore_need_room(
    deploy: Deploy, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = deploy()
    stack.dump()
    for more in ("", "or drop todo_before_restore"):
        stack.free = 0
        jobs = len(stack.jobs)
        with pytest.raises(Failure, match=f"has 0 B free, but another copy.*{more}"):
            stack.restore()
        assert "load" not in stack.jobs[jobs:]
        stack.free = 1 << 40
        stack.restore()


@pytest.mark.parametrize("fresh", [False, True], ids=["newest", "fresh"])
def test_a_drill_that_is_stopped_leaves_nothing(fresh: bool, deploy: Deploy) -> None:
    stack = deploy()
    stack.sql("INSERT INTO todos SELECT i, repeat('x', 200) FROM generate_series(2, 300000) i")
    if not fresh:
        stack.dump()
    kept = {path.name for path in stack.backups.iterdir()}
    script = scripts.FRESH_DRILL if fresh else scripts.DRILL
    scratch = derived("todo", Purpose.RESTORE_DRILL)
    running = subprocess.Popen(
        stack.command(script),
        env=stack.environment(
            SCRATCH=scratch.name, MARK=scratch.mark, BACKUP=stack.command(BACKUP_SCRIPT)[-1]
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until(
        lambda: (
            any(stack.backups.glob("*.part")) if fresh else scratch.name in stack.server.databases()
        )
    )
    running.terminate()
    output, _ = running.communicate(timeout=300)
    assert running.returncode == 143, output
    assert {path.name for path in stack.backups.iterdir()} == kept
    assert stack.server.databases() == {"todo"}


def test_a_fresh_drill_needs_the_program_deployed(deploy: Deploy) -> None:
    stack = deploy()
    container = stack.cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    container["command"] = ["/bin/sh", "-c", "pg_dump > /backups/todo-earlier.dump"]
    with pytest.raises(Failure, match="is an earlier version: run pulumi up"):
        stack.drill(fresh=True)
    assert stack.notes == {}


@RIGHTS
def test_a_drill_does_not_disturb_another(deploy: Deploy) -> None:
    stack = deploy()
    stack.dump()
    scratch = derived("todo", Purpose.RESTORE_DRILL)
    stack.server.sql(
        f"CREATE DATABASE {scratch.name} OWNER app;"
        f"COMMENT ON DATABASE {scratch.name} IS '{scratch.mark}'"
    )
    other = subprocess.Popen(
        ["psql", "-q", "-d", scratch.name, "-c", "SELECT pg_sleep(3600)"],
        env=stack.server.environment(),
    )
    count = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'todo_restore_drill'"
    try:
        until(lambda: stack.server.sql(count) == "1")
        with pytest.raises(Failure, match="being accessed by other users: if another drill"):
            stack.drill()
        assert stack.notes == {}
        assert stack.server.sql(count) == "1"
    finally:
        stack.server.sql(count.replace("count(*)", "pg_terminate_backend(pid, 5000)"))
        other.wait(timeout=300)
    stack.drill()
