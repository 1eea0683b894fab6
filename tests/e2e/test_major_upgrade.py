"""PostgreSQL 15 becomes 17, killed on the way, with people reading and writing; and back."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from distribution.cluster import images
from tests.e2e.asking import ask
from tests.e2e.deployment import Deployment
from tests.e2e.older_postgres import MAJOR, ensure_older_postgres
from tests.e2e.scratch_stack import scratch_stack, set_database_image
from tests.e2e.traffic import Traffic
from tests.waiting import until

_PORTS = (30794, 30795)
_HOLD = "todo.example/held"
_OLD, _NEW = "data-postgres-0", "data-2-postgres-0"
# What has to come along besides rows: an extension and an index that sorts text, a sequence,
# rights, a large object, a role with a setting and a verifier, a second database.
_CONTENT = (
    "CREATE ROLE reader LOGIN PASSWORD 'secret'; ALTER ROLE reader SET work_mem = '2MB';",
    "CREATE EXTENSION pg_trgm;",
    "CREATE TABLE big(id bigserial PRIMARY KEY, t text); ALTER TABLE big OWNER TO todo;",
    "INSERT INTO big(t) SELECT repeat(md5(n::text), 3) FROM generate_series(1, 150000) n;",
    "CREATE INDEX ON big USING gin (t gin_trgm_ops); GRANT SELECT ON big TO reader;",
    "SELECT lo_from_bytea(4711, 'large'); ALTER LARGE OBJECT 4711 OWNER TO todo;",
    "CREATE DATABASE another OWNER todo;",
)
_SUMS = """
SELECT (SELECT format('%s rows %s', count(*), sum(hashtextextended(t::text, 0))) FROM big t),
  (SELECT last_value FROM big_id_seq), has_table_privilege('reader', 'big', 'SELECT'),
  convert_from(lo_get(4711), 'UTF8'),
  (SELECT string_agg(format('%s %s', rolname, md5(rolpassword)), ' ' ORDER BY rolname)
    FROM pg_authid WHERE rolname IN ('todo', 'reader')),
  (SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database)
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A stack that was deployed with PostgreSQL 15, and whose settings want 17 by now."""
    like = Deployment()
    if images.present() is None:
        pytest.skip("the image of PostgreSQL 15 is built for the embedded cluster alone")
    older, folder = ensure_older_postgres(), tmp_path_factory.mktemp("major")
    with scratch_stack(like, folder, "major", _PORTS) as stack:
        newer = set_database_image(stack, older)
        stack.up()
        stack.wait_ready()
        for statement in _CONTENT:
            _sql(stack, statement)
        set_database_image(stack, newer)
        yield stack


def _sql(stack: Deployment, statement: str) -> str:
    psql = ("psql", "-X", "-q", "-At", "-U", "postgres", "-d", "todo", "-c", statement)
    return stack.kubectl("exec", "postgres-0", "-c", "postgres", "--", *psql).strip()


def _major(stack: Deployment) -> int:
    return int(_sql(stack, "SHOW server_version_num")) // 10000


def _upgrade(stack: Deployment, *arguments: str) -> str:
    done = stack.ops("upgrade-database", "--yes", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    return done.stdout


def _kill_once(
    stack: Deployment, there: Callable[[], bool], *, held: str = "", former: str = ""
) -> None:
    """Begins the upgrade, and kills all of it as soon as something is so.

    Args:
        stack: The stack.
        there: Whether it is.
        held: A pod that does not end before, so that the upgrade comes no further than that.
        former: UID of a pod of that name that is not meant.
    """
    released = True
    try:
        _kill(stack, there, held, former)
    finally:
        # Also where it did not come to that, or the pod would stay for ever.
        if held:
            released = _hold(stack, held, [])
    assert released


def _kill(stack: Deployment, there: Callable[[], bool], held: str, former: str) -> None:
    with subprocess.Popen(
        stack.ops_command("upgrade-database", "--yes"),
        cwd=stack.project,
        env=stack.environment,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as running:
        is_held = not held
        while not (is_held and there()):
            assert running.poll() is None, "it ended before it came to that"
            if not is_held and _uid(stack, held) not in {"", former}:
                is_held = _hold(stack, held, [_HOLD])
            time.sleep(0.1)
        os.killpg(running.pid, signal.SIGKILL)


def _uid(stack: Deployment, pod: str) -> str:
    return stack.try_kubectl("get", "pod", pod, "-o", "jsonpath={.metadata.uid}").stdout


def _hold(stack: Deployment, pod: str, finalizers: list[str]) -> bool:
    """Has a pod stay, or go when it is told to; returns whether it is there."""
    change = json.dumps({"metadata": {"finalizers": finalizers}})
    return not stack.try_kubectl("patch", "pod", pod, "--type=merge", "-p", change).returncode


def _copies(stack: Deployment) -> bool:
    return stack.try_kubectl("get", "networkpolicy", "database-copy-in").returncode == 0


def _is_copied(stack: Deployment) -> bool:
    """Whether the copy is there, and equal; the next step would put it in place."""
    note = r"jsonpath={.metadata.annotations.todo-ops/equal-since}"
    return bool(stack.try_kubectl("get", "pvc", _NEW, "-o", note).stdout)


def _is_switched(stack: Deployment) -> bool:
    """Whether the server's StatefulSet on the former volume is gone, or made anew."""
    name = "jsonpath={.spec.volumeClaimTemplates[0].metadata.name}"
    found = stack.try_kubectl("get", "statefulset", "postgres", "-o", name)
    return found.stdout.startswith("data-2") or "NotFound" in found.stderr


def _assert_frozen(stack: Deployment, traffic: Traffic) -> None:
    """Nobody writes, and everybody reads, from the server that there was."""
    assert _major(stack) == MAJOR
    address = f"{stack.frontend}/api/todos"
    todo = {"title": "while it is copied"}

    def status(method: str, **more: object) -> int:
        return ask(method, address, headers=traffic.headers, **more).status_code

    until("reads that are answered", lambda: status("GET") == 200, 180)
    until("writes that are refused", lambda: status("POST", json=todo) == 503, 180)


def _unchanged(stack: Deployment) -> None:
    done = stack.pulumi("preview", "--expect-no-changes")
    assert done.returncode == 0, done.stdout


def _claims(stack: Deployment) -> set[str]:
    return {it["metadata"]["name"] for it in stack.objects("persistentvolumeclaims")["items"]}


def test_an_upgrade_that_is_killed_goes_on_and_loses_nothing(stack: Deployment) -> None:
    refused = stack.pulumi("preview")
    assert refused.returncode != 0
    assert 'docs/operations.md, "Upgrade PostgreSQL\'s major version"' in refused.stdout
    with Traffic(stack) as traffic:
        _kill_once(stack, lambda: _copies(stack))
        server = stack.pods("database")
        for command in (("preview",), ("up", "--yes", "--skip-preview")):
            assert stack.pulumi(*command).returncode != 0
        assert stack.pods("database") == server
        before = _sql(stack, _SUMS)
        _assert_frozen(stack, traffic)
        assert "the database can only be read" in stack.ops("validate", "--no-drift").stdout

        # Between the copy and the switch: what served goes on serving, and all is copied anew.
        left = _uid(stack, "postgres-upgrade")
        _kill_once(stack, lambda: _is_copied(stack), held="postgres-upgrade", former=left)
        assert stack.pods("database") == server
        assert _sql(stack, _SUMS) == before
        _assert_frozen(stack, traffic)

        # In the switch: no server is there, and the next run makes it on the volume of the copy.
        _kill_once(stack, lambda: _is_switched(stack), held="postgres-0")
        assert "the database runs PostgreSQL 17" in _upgrade(stack)
        assert _major(stack) == 17
        assert _sql(stack, _SUMS) == before
        stack.wait_ready()
        added = traffic.added
        until("writes after the upgrade", lambda: traffic.added > added + 1, 300)
    reads = [it for it in traffic.failures if it.startswith("GET")]
    print(f"{traffic.sent} requests, {len(traffic.failures)} failed, {len(reads)} of them reads")
    traffic.assert_nothing_lost()
    _unchanged(stack)
    assert {_OLD, _NEW} <= _claims(stack)
    rest = stack.objects("pods,networkpolicies")["items"]
    names = {it["metadata"]["name"] for it in rest}
    assert not {"postgres-upgrade", "database-copy-in", "database-copy-out"} & names
    stack.wait_healthy()
    assert "nothing to do" in _upgrade(stack)


def test_the_way_back_is_open_until_the_other_volume_is_forgotten(stack: Deployment) -> None:
    _upgrade(stack)  # where the test before has not
    _sql(stack, "CREATE TABLE since()")
    before = _sql(stack, _SUMS)
    refused = stack.ops("upgrade-database", "--back", "--yes")
    assert refused.returncode == 2
    assert f"has the files of PostgreSQL {MAJOR}, and the settings want 17" in refused.stderr
    newer = set_database_image(stack, ensure_older_postgres())
    _upgrade(stack, "--back")
    assert _major(stack) == MAJOR
    assert _sql(stack, _SUMS) == before
    assert _sql(stack, "SELECT to_regclass('since') IS NULL") == "t"
    _sql(stack, "CREATE TABLE writes_again()")
    _unchanged(stack)

    set_database_image(stack, newer)
    kept = stack.ops("upgrade-database", "--yes")
    assert f"{_NEW} is kept from an earlier upgrade" in kept.stderr
    asked = stack.ops("upgrade-database", "--forget-old")
    assert (asked.returncode, _NEW in asked.stderr) == (2, True)
    assert {_OLD, _NEW} <= _claims(stack)
    _upgrade(stack, "--forget-old")
    assert _NEW not in _claims(stack)
    assert _OLD in _claims(stack)
