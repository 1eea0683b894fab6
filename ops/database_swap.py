"""Putting another database in the place of the live one, in one transaction."""

import time
from dataclasses import dataclass

from console.failure import ExitCode, Failure
from ops import database
from ops.context import Target
from ops.database import literal
from ops.database_names import Derived, Purpose, derived

_ATTEMPTS = 5

# pg_database is compared as text: as names, both sides would be cut at 63 bytes first.
_DISCARD = r"""
SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database
WHERE datname::text = {name} AND datname::text <> {live}
AND split_part(shobj_description(oid, 'pg_database'), E'\n', 1) = {mark} \gexec
"""

_MAKE = r"""
SELECT format('CREATE DATABASE %I TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L '
  'OWNER %I', {name}, pg_encoding_to_char(encoding), datcollate, datctype, {owner})
FROM pg_database WHERE datname::text = {live} \gexec
SELECT format('COMMENT ON DATABASE %I IS %L', {name}, {mark}) \gexec
"""

_DISCONNECT = """
SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
WHERE datname::text IN ({live}, {name}) AND pid <> pg_backend_pid();
"""

# What belongs to the database as a whole is in no dump of its contents, so it is copied from the
# live one: owner, limit of connections, rights, settings, and its comment. FROM CURRENT takes a
# setting's value as it is, lists included.
_REPLACE = """
DO $do$
DECLARE
  live_oid oid := (SELECT oid FROM pg_database WHERE datname::text = {live});
  kept_oid oid := (SELECT oid FROM pg_database WHERE datname::text = {kept});
  about pg_database := (SELECT d FROM pg_database d WHERE d.oid = live_oid);
  note text := shobj_description(live_oid, 'pg_database');
  it record;
BEGIN
  IF (SELECT datname::text FROM pg_database WHERE oid = {oid}) IS DISTINCT FROM {name} THEN
    RAISE EXCEPTION 'the loaded database is gone';
  END IF;
  EXECUTE format('ALTER DATABASE %I OWNER TO %I', {name}, pg_get_userbyid(about.datdba));
  EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT %s', {name}, about.datconnlimit);
  IF about.datacl IS NOT NULL THEN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', {name});
    FOR it IN SELECT * FROM aclexplode(about.datacl) LOOP
      EXECUTE format('GRANT %s ON DATABASE %I TO %s %s', it.privilege_type, {name},
        CASE WHEN it.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(it.grantee)) END,
        CASE WHEN it.is_grantable THEN 'WITH GRANT OPTION' ELSE '' END);
    END LOOP;
  END IF;
  FOR it IN
    SELECT setrole, split_part(line, '=', 1) AS setting,
      substr(line, strpos(line, '=') + 1) AS value
    FROM pg_db_role_setting, unnest(setconfig) AS line WHERE setdatabase = live_oid
  LOOP
    PERFORM set_config(it.setting, it.value, true);
    EXECUTE format('ALTER %s SET %s FROM CURRENT', CASE it.setrole
      WHEN 0 THEN format('DATABASE %I', {name})
      ELSE format('ROLE %I IN DATABASE %I', pg_get_userbyid(it.setrole), {name}) END,
      (SELECT string_agg(quote_ident(p), '.') FROM unnest(string_to_array(it.setting, '.')) p));
  END LOOP;
  IF kept_oid IS NOT NULL THEN
    IF split_part(coalesce(shobj_description(kept_oid, 'pg_database'), ''), E'\\n', 1)
        <> {kept_mark} THEN
      RAISE EXCEPTION 'the database % was not made by this program', {kept};
    END IF;
    EXECUTE format('ALTER DATABASE %I RENAME TO %I', {kept}, {swap});
    EXECUTE format('COMMENT ON DATABASE %I IS %L', {swap}, {swap_mark});
  END IF;
  EXECUTE format('ALTER DATABASE %I RENAME TO %I', {live}, {kept});
  EXECUTE format('COMMENT ON DATABASE %I IS %L', {kept}, concat_ws(E'\\n', {kept_mark}, note));
  EXECUTE format('ALTER DATABASE %I RENAME TO %I', {name}, {live});
  EXECUTE format('COMMENT ON DATABASE %I IS %L', {live}, note);
END $do$;
"""

_UNDO = """
DO $do$
DECLARE
  live_oid oid := (SELECT oid FROM pg_database WHERE datname::text = {live});
  note text := shobj_description(live_oid, 'pg_database');
  former text := shobj_description({oid}, 'pg_database');
BEGIN
  IF (SELECT datname::text FROM pg_database WHERE oid = {oid}) IS DISTINCT FROM {kept}
      OR split_part(coalesce(former, ''), E'\\n', 1) <> {kept_mark} THEN
    RAISE EXCEPTION 'the kept database is gone';
  END IF;
  EXECUTE format('ALTER DATABASE %I RENAME TO %I', {live}, {swap});
  EXECUTE format('ALTER DATABASE %I RENAME TO %I', {kept}, {live});
  EXECUTE format('ALTER DATABASE %I RENAME TO %I', {swap}, {kept});
  EXECUTE format('COMMENT ON DATABASE %I IS %L', {kept}, concat_ws(E'\\n', {kept_mark}, note));
  EXECUTE format('COMMENT ON DATABASE %I IS %L', {live},
    nullif(substr(former, length({kept_mark}) + 2), ''));
END $do$;
"""


@dataclass(frozen=True)
class Candidate:
    """A database that is to become the live one."""

    database: Derived
    oid: int
    """By which it is told from one that another restore has made under the name since."""


def find(to: Target, name: str) -> tuple[int, str] | None:
    """Returns OID and comment's first line of a database, or None when there is none."""
    query = (
        "SELECT oid, split_part(shobj_description(oid, 'pg_database'), E'\\n', 1) "  # noqa: S608
        f"FROM pg_database WHERE datname::text = {literal(name)};"
    )
    text = database.sql(to.stack, to.cluster, query, database="postgres", superuser=True).strip()
    if not text:
        return None
    oid, _, mark = text.partition("|")
    return int(oid), mark


def own(to: Target, wanted: Derived) -> int | None:
    """Returns the OID of a database that this program made, or None when there is none.

    Raises:
        Failure: There is one of that name that somebody else made.
    """
    found = find(to, wanted.name)
    if found is None:
        return None
    oid, mark = found
    if mark != wanted.mark:
        raise Failure(
            f"There is a database {wanted.name} without this program's mark, so nothing was "
            "changed; rename or drop it yourself, or, if an earlier version's restore kept it, "
            f'mark it: COMMENT ON DATABASE "{wanted.name}" IS {literal(wanted.mark)};',
            ExitCode.USAGE,
        )
    return oid


def discard(to: Target, purpose: Purpose) -> None:
    """Drops a database that this program made for a purpose; the server checks its mark again.

    Raises:
        Failure: One of that name is there that this program did not make.
    """
    live = to.stack.contract.database.name
    unwanted = derived(live, purpose)
    if own(to, unwanted) is not None:
        statement = _DISCARD.format(
            name=literal(unwanted.name), live=literal(live), mark=literal(unwanted.mark)
        )
        database.sql(to.stack, to.cluster, statement, database="postgres", superuser=True)


def make_empty(to: Target, purpose: Purpose) -> Derived:
    """Makes an empty database like the live one, in place of what an earlier run left.

    Raises:
        Failure: One of that name is there that this program did not make.
    """
    live = to.stack.contract.database
    fresh = derived(live.name, purpose)
    discard(to, purpose)
    statement = _MAKE.format(
        name=literal(fresh.name),
        live=literal(live.name),
        mark=literal(fresh.mark),
        owner=literal(live.user),
    )
    database.sql(to.stack, to.cluster, statement, database="postgres", superuser=True)
    return fresh


def put_in_place(to: Target, candidate: Candidate) -> None:
    """Makes a database the live one; who is connected is disconnected.

    The live one is kept for --undo. What was kept before is dropped, but only once the other is in
    place.

    Raises:
        Failure: The live database is the one that it was.
    """
    live, fresh, oid = to.stack.contract.database.name, candidate.database, candidate.oid
    kept, swap = derived(live, Purpose.BEFORE_RESTORE), derived(live, Purpose.SWAP)
    if own(to, fresh) != oid:
        raise Failure(
            f"Another drill or restore has dropped {fresh.name} or made it anew meanwhile, so "
            "nothing was changed; wait for its end, then run this again."
        )
    discard(to, Purpose.SWAP)
    steps = (_UNDO if fresh == kept else _REPLACE).format(
        oid=oid,
        **{
            key: literal(value)
            for key, value in (
                ("live", live),
                ("name", fresh.name),
                ("kept", kept.name),
                ("kept_mark", kept.mark),
                ("swap", swap.name),
                ("swap_mark", swap.mark),
            )
        },
    )
    disconnect = _DISCONNECT.format(live=literal(live), name=literal(fresh.name))
    for attempt in range(_ATTEMPTS):
        try:
            database.sql(
                to.stack, to.cluster, disconnect + steps, database="postgres", superuser=True
            )
        except Failure:
            # Somebody connected in between; or the answer was lost and it is done.
            if (find(to, live) or (0, ""))[0] != oid and attempt == _ATTEMPTS - 1:
                raise
        if (find(to, live) or (0, ""))[0] == oid:
            break
        time.sleep(1)
    else:
        raise Failure(f"{live} is still the database it was; run `python -m ops validate`.")
    discard(to, Purpose.SWAP)
