"""What a job on the backups does, step by step, wherever the backups are."""

from collections.abc import Mapping, Sequence

from cluster_objects.json_tree import Json
from ops import scripts
from ops.contract import Backup
from ops.jobs import Script, Step, Stored, script_of


def listing(backup: Backup) -> Sequence[Step]:
    """Returns what lists the backups, for `ops.dumps.read`."""
    return [Stored("list")] if backup.store else [Script(scripts.LIST)]


def loading(
    backup: Backup, script: str, environment: Mapping[str, str], dump: str
) -> Sequence[Step]:
    """Returns what runs a script on a backup.

    Args:
        backup: Where the backups are.
        script: `scripts.LOAD` or `scripts.DRILL`.
        environment: Its variables.
        dump: The backup's name; empty: the newest.
    """
    named = {"DUMP": dump} if dump else {}
    fetching = [Stored("fetch", named)] if backup.store else []
    return [*fetching, Script(script, {**environment, **named})]


def fresh_drill(backup: Backup, cron_job: Json, environment: Mapping[str, str]) -> Sequence[Step]:
    """Returns what backs up as the schedule does, and restores what that wrote.

    Args:
        backup: Where the backups are.
        cron_job: The CronJob that writes them.
        environment: The variables of the restore.
    """
    own = {"BACKUP": script_of(cron_job)}
    if backup.store is None:
        return [Script(scripts.FRESH_DRILL, {**environment, **own})]
    return [
        Script(scripts.FRESH_DUMP, own),
        Stored("put-and-fetch"),
        Script(scripts.FRESH_LOAD, environment),
    ]
