"""The quota of the namespace of a TodoStack."""

from components.namespace.namespace import Share, quota
from components.postgres import backup as postgres_backup
from components.todo.settings.settings import Settings


def quota_of(settings: Settings) -> dict[str, str]:
    """Returns a quota for the largest the application may get, five pods of a kind or more."""
    shares = [
        # One more while rolling, and those that it takes the place of count until they have ended.
        Share(resources=app.resources, pods=max(2 * app.scaling.most, 5) + 1)
        for app in (settings.backend, settings.frontend)
    ]
    database = settings.database
    if database.mode == "inCluster":
        # A pod that terminates still counts. Backups: the scheduled, one by hand, a restore drill.
        shares.append(Share(resources=database.resources, pods=2))
        shares.append(Share(resources=postgres_backup.RESOURCES, pods=3))
    return quota(shares, claims=4)
