"""`restore --lost`: the database of a cluster that is gone, from the archive that it has left."""

from collections.abc import Sequence
from datetime import datetime

from cluster_objects.json_tree import Json, part
from console.confirm import confirm
from console.failure import ExitCode, Failure
from ops import database
from ops.cnpg.archive import archive as archive_of
from ops.cnpg.archive import archived_database
from ops.cnpg.recovery import Origin, Recovery
from ops.cnpg.stored_archives import Place, StoredArchive, own_name, place_of, stored_archives
from ops.commands.recovered import put_recovered_in_place
from ops.context import Target
from ops.database_copy import server_of
from ops.database_names import Purpose, derived
from ops.moments import moment, written
from ops.terminal import progress, say, table
from ops.writers import Writers

_COUNT = r"""
SELECT format('SELECT count(*) FROM %I.%I', schemaname, tablename) FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') \gexec
"""


def restore_lost(
    to: Target, writers: Writers, archive: str, text: str, *, yes: bool, drop_old: bool
) -> None:
    """Replaces the live database by what the archive of a lost cluster leads to.

    A new cluster archives beside the old archive, in a folder with its namespace's own identity, so
    both are there. As `restore --to` does, this recovers a second Cluster beside the live one,
    copies its database next to the live one, compares both, and only then swaps. The old archive is
    only read.

    Args:
        to: The stack.
        writers: Who writes.
        archive: The archive's name, or folder and name where it is in another folder of the bucket;
            empty: the only one that there is.
        text: A moment, as somebody wrote it; empty: the newest that was archived.
        yes: Whether nobody is asked.
        drop_old: Whether the database as it was before is not kept.

    Raises:
        Failure: There is no such archive, it does not lead to that, or a step failed; the live
            database is as it was.
    """
    found = archived_database(to.stack, "Restoring what a lost cluster has archived")
    when = moment(text) if text else None
    live, server = to.cluster.get("Cluster", found.cluster), server_of(to)
    place, name = place_and_name(archive, place_of(live))
    with progress(f"Reading the archives in {place.address}"):
        there = stored_archives(server, live, place)
    chosen = choose(there, live, place, name)
    require_reachable(chosen, when, server.major())
    shown = f"{chosen.name} as of {written(when)}" if when else f"the newest of {chosen.name}"
    _say_what_there_is(to, chosen, live)
    confirm(f"Replace the database {found.name} of this stack by {shown}?", assume_yes=yes)
    origin = Origin(destination=place.address, name=chosen.name)
    recovery = Recovery(to.cluster, found, when, origin)
    put_recovered_in_place(to, writers, recovery, shown, drop_old=drop_old)


def place_and_name(archive: str, live: Place) -> tuple[Place, str]:
    """Returns the folder that an archive is in, and its name there; empty: none was given.

    Args:
        archive: What somebody wrote: a name, a folder and a name, or these with `s3://BUCKET/`.
        live: Where the live Cluster archives.

    Raises:
        Failure: It is in another bucket.
    """
    if archive.startswith("s3://"):
        bucket, _, archive = archive.removeprefix("s3://").partition("/")
        if bucket != live.bucket:
            raise Failure(
                f"The archive is in the bucket {bucket}, and this stack's own in {live.bucket}; "
                "set database.backup.objectStore to that one, pulumi up, then run this again.",
                ExitCode.USAGE,
            )
    folder, _, name = archive.rpartition("/")
    folder = folder.strip("/")
    return (Place(bucket=live.bucket, folder=folder) if folder else live), name


def choose(there: Sequence[StoredArchive], live: Json, place: Place, name: str) -> StoredArchive:
    """Returns the archive of a name, or the only one that is not the live Cluster's own.

    Args:
        there: What the folder has.
        live: The live Cluster.
        place: The folder.
        name: The name; empty: none was given.

    Raises:
        Failure: There is none, it is the live one's own, or there are several.
    """
    others = [it for it in there if not is_own(it, live)]
    names = ", ".join(it.name for it in others)
    if name:
        named = next((it for it in there if it.name == name), None)
        if named is None:
            known = f"there are: {names}" if names else "there is none but perhaps this stack's own"
            raise Failure(
                f"There is no archive {name} in {place.address}; {known}.", ExitCode.USAGE
            )
        if named not in others:
            raise Failure(
                f"{name} is this stack's own archive, not a lost one's; go back in it: python -m "
                "ops restore --to 2026-01-31T09:00:00Z",
                ExitCode.USAGE,
            )
        return named
    usable = [it for it in others if it.first]
    match usable:
        case [only]:
            return only
        case []:
            raise Failure(_none(names, place), ExitCode.USAGE)
        case _:
            _list(others)
            raise Failure(
                f"{place.address} has {len(usable)} archives of other clusters; name one: "
                f"python -m ops restore --archive {place.folder}/{usable[0].name}",
                ExitCode.USAGE,
            )


def is_own(it: StoredArchive, live: Json) -> bool:
    """Returns whether an archive is what the live Cluster itself has written.

    One of its name that ends before it was made is another's: of a Cluster that was made anew in
    its namespace, or of a namespace that the stack adopts. The operator writes nothing beside it,
    so one that archives has its own; clocks of store and cluster may differ.
    """
    if (it.place, it.name) != (place_of(live), own_name(live)):
        return False
    made = _made(live)
    return archive_of(live).works or it.logged is None or made is None or it.logged >= made


def require_reachable(it: StoredArchive, when: datetime | None, major: int) -> None:
    """Checks that an archive leads to a moment, with a server of a version.

    Args:
        it: The archive.
        when: The moment; None: the newest.
        major: PostgreSQL's major version that the stack has.

    Raises:
        Failure: It does not; says what to do.
    """
    if it.first is None:
        raise Failure(
            f"The archive {it.name} has no base backup that ended, so nothing can be recovered "
            "from it; name another.",
            ExitCode.USAGE,
        )
    if it.major is not None and it.major != major:
        raise Failure(
            f"The archive {it.name} was written by PostgreSQL {it.major}, which {major} cannot "
            f"read; restore it in a stack that is deployed with a database.image of {it.major}.",
            ExitCode.USAGE,
        )
    if when is None:
        return
    if when < it.first:
        raise Failure(
            f"{written(when)} is before the first base backup of {it.name}, which ended "
            f"{written(it.first)}; name a later moment.",
            ExitCode.USAGE,
        )
    if it.logged is None or when > it.logged:
        until = written(it.logged) if it.logged else "before it began"
        raise Failure(
            f"{written(when)} is after the end of the archive {it.name} ({until}); name an earlier "
            "moment, or leave --to out for the newest.",
            ExitCode.USAGE,
        )


def _made(live: Json) -> datetime | None:
    found = part(live, "metadata").get("creationTimestamp")
    return datetime.fromisoformat(str(found)) if found else None


def _none(names: str, place: Place) -> str:
    if names:
        return (
            f"The other archives in {place.address} have no base backup that ended ({names}), so "
            "nothing can be recovered from them."
        )
    return (
        f"There is no archive of another cluster in {place.address}; set bucket and prefix in "
        "database.backup.objectStore to those of the lost one, or name it with its folder: "
        "--archive shop/production/wal/NAME"
    )


def _list(others: Sequence[StoredArchive]) -> None:
    table(
        ["ARCHIVE", "FROM", "TO"],
        [
            [
                it.name,
                written(it.first) if it.first else "no base backup",
                written(it.logged) if it.logged else "—",
            ]
            for it in others
        ],
    )


def _say_what_there_is(to: Target, it: StoredArchive, live: Json) -> None:
    first = written(it.first) if it.first else "nothing"
    say(f"{it.name}: from {first} to {written(it.logged) if it.logged else 'its base backup'}")
    made = _made(live)
    if it.logged and made and it.logged > made:
        say(
            "its log goes on after this stack's database was made: is the cluster that writes it "
            "lost?",
            "yellow",
        )
    counts = database.sql(to.stack, to.cluster, _COUNT, superuser=True).split()
    name = to.stack.contract.database.name
    kept = derived(name, Purpose.BEFORE_RESTORE).name
    say(
        f"the live database {name} has {sum(map(int, counts))} rows in all of its {len(counts)} "
        f"tables; it is kept as {kept} unless --drop-old is given"
    )
