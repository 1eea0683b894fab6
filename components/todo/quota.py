"""The quota of the namespace of a TodoStack."""

from components.namespace.namespace import PodDemand, hard_limits
from components.postgres import backup as postgres_backup
from components.todo.settings.settings import Settings


def quota_of(settings: Settings) -> dict[str, str]:
    """Returns a quota for the largest the application may get, five pods of a kind or more."""
    demands = [
        # One more while rolling, and those that it takes the place of count until they have ended.
        PodDemand(resources=app.resources, pods=max(2 * app.scaling.most, 5) + 1)
        for app in (settings.backend, settings.frontend)
    ]
    database = settings.database
    if database.mode == "inCluster":
        # A pod that terminates still counts. Backups: the scheduled, one by hand, a restore drill.
        demands.append(PodDemand(resources=database.resources, pods=2))
        demands.append(PodDemand(resources=postgres_backup.RESOURCES, pods=3))
    return {
        **hard_limits(demands),
        "persistentvolumeclaims": "4",
        "services.loadbalancers": "0",
    }
