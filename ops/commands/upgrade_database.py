"""`upgrade-database`: PostgreSQL's next major version, and back."""

from typing import Annotated

import typer

from cluster_objects.json_tree import part
from console.confirm import confirm
from console.failure import ExitCode, Failure
from ops import database
from ops.commands.options import Yes
from ops.context import target
from ops.copying.hindrances import left_settings
from ops.jobs import backup_cron_job, run_job
from ops.terminal import note, progress, say
from ops.upgrade.major_upgrade import MajorUpgrade
from ops.upgrade.second_server import delete_claim


def upgrade_database(
    context: typer.Context,
    yes: Yes = False,
    back: Annotated[
        bool,
        typer.Option("--back", help="Give it up, or put the former volume back in its place."),
    ] = False,
    forget_old: Annotated[
        bool, typer.Option("--forget-old", help="Delete the volume that the server had before.")
    ] = False,
) -> None:
    """Bring the database to the major version that the settings want.

    A second server gets a copy of everything on a volume of its own; reads go on meanwhile. Once
    both are equal, the server is made anew on that volume. The former one stays for --back until
    --forget-old. Cut off at any step, run it again: it goes on, or back with --back.
    """
    if back and forget_old:
        raise Failure("--back and --forget-old are two ways; choose one.", ExitCode.USAGE)
    to = target(context)
    it = MajorUpgrade(to)
    if back:
        _back(it, yes=yes)
    elif forget_old:
        _forget(it, yes=yes)
    else:
        _upgrade(it, yes=yes)


def _upgrade(it: MajorUpgrade, *, yes: bool) -> None:
    volume, configured = it.facts.volume, it.configured
    if configured == volume + 1:
        wants = it.wanted()
        _require_version(it, wants.note.major, it.facts.next_claim)
        _switch(it, configured)
        return
    if configured != volume or not it.is_in_place():
        raise Failure(
            f"The StatefulSet is gone or on another volume, or {it.facts.config_key} was changed "
            "by hand; if a way back was cut off, go on with --back, else see `pulumi preview`.",
            ExitCode.USAGE,
        )
    database.require_ready(it.to.stack, it.to.cluster)
    wants = it.wanted()
    it.require_fit(wants)
    has = it.made_with(it.facts.claim)
    if wants.note.major == has.major:
        _leave(it, has.major)
        return
    if it.second.claim() and not it.second.is_under_way():
        raise Failure(
            f"The claim {it.facts.next_claim} is kept from an earlier upgrade; delete it with "
            "--forget-old, then run this again.",
            ExitCode.USAGE,
        )
    if left := left_settings(it.live):
        say(
            f"not copied: {', '.join(left)}, set by ALTER SYSTEM or for the database postgres",
            "yellow",
        )
    confirm(
        f"Bring the database from PostgreSQL {has.major} to {wants.note.major} ({wants.image})? "
        "Nobody can write while it is copied.",
        assume_yes=yes,
    )
    _restore_point(it)
    tables = it.fill(wants)
    say(f"copied {len(tables)} tables and sequences, all identical")
    _switch(it, volume + 1)


def _switch(it: MajorUpgrade, volume: int) -> None:
    former = it.facts.claim
    it.switch(volume)
    say(f"the database runs PostgreSQL {it.live.major()}", "bold green")
    say(
        f"its former volume is kept as {former}: go back with --back, delete it with --forget-old; "
        f"{it.facts.config_key} is in the stack's file: commit it"
    )


def _leave(it: MajorUpgrade, major: int) -> None:
    """Nothing is to be done, but for what was cut off at the very end or is not wanted any more."""
    if it.second.is_under_way():
        raise Failure(
            f"An upgrade was begun, and the settings want PostgreSQL {major} again; give it up "
            "with --back, or set the image and run this again.",
            ExitCode.USAGE,
        )
    it.let_write()
    say(f"the database runs PostgreSQL {major}, as the settings want; there is nothing to do")


def _require_version(it: MajorUpgrade, major: int, claim: str) -> None:
    has = it.made_with(claim).major
    if major != has:
        raise Failure(
            f"The volume {claim} has the files of PostgreSQL {has}, and the settings want {major}; "
            f"set {it.facts.image_key} to an image of {has}, then run this again.",
            ExitCode.USAGE,
        )


def _restore_point(it: MajorUpgrade) -> None:
    if it.server.backup is None:
        note("this stack makes no backups: the former volume is what there is to go back to")
        return
    with progress("Backing up"):
        done = run_job(it.to.cluster, backup_cron_job(it.to.stack, it.to.cluster), "manual")
    for line in done.lines:
        say(line)


def _back(it: MajorUpgrade, *, yes: bool) -> None:
    volume, configured = it.facts.volume, it.configured
    if configured == volume and it.second.is_under_way():
        _give_up(it, yes=yes)
        return
    # What an upgrade was cut off from has served last; else it is the volume before.
    is_complete = configured < volume or (configured == volume and it.is_in_place())
    former = volume - 1 if is_complete else volume
    if former == 0:
        it.let_write()
        raise Failure("There is nothing to go back to: no upgrade was made.", ExitCode.USAGE)
    claim = it.facts.claims[former - 1]
    has = it.made_with(claim).major
    _require_version(it, it.wanted().note.major, claim)
    confirm(
        f"Put the volume {claim} with PostgreSQL {has} back in place? What was written since the "
        "upgrade is not on it; the other volume is kept.",
        assume_yes=yes,
    )
    it.switch(former)
    if it.second.is_under_way():
        it.second.remove()
    say(f"the database runs PostgreSQL {it.live.major()} on {claim} again", "bold green")


def _give_up(it: MajorUpgrade, *, yes: bool) -> None:
    confirm(f"Give the upgrade up, and delete the copy on {it.facts.next_claim}?", assume_yes=yes)
    database.require_ready(it.to.stack, it.to.cluster)
    with progress("Removing the second server"):
        it.second.remove()
    it.let_write()
    say("the database is as it was before the upgrade was begun", "bold green")


def _forget(it: MajorUpgrade, *, yes: bool) -> None:
    cluster, facts = it.to.cluster, it.facts
    if it.configured != facts.volume or it.second.is_under_way():
        raise Failure(
            "An upgrade is under way; run it again, or with --back, and then this.", ExitCode.USAGE
        )
    kept = [
        found
        for name in facts.claims
        if name != facts.claim and (found := cluster.find("PersistentVolumeClaim", name))
    ]
    if not kept:
        say("no former volume is kept")
        return
    shown = ", ".join(
        f"{claim['metadata']['name']} ({part(claim, 'status', 'capacity').get('storage', '?')})"
        for claim in kept
    )
    confirm(f"Delete {shown}, with all data on it?", assume_yes=yes)
    with progress("Deleting"):
        for claim in kept:
            delete_claim(cluster, claim["metadata"]["name"])
    say(f"deleted {shown}", "green")
