"""The settings of a stack for measuring: those of the deployed one, asking for less.

It has the limits of the deployed stack, because they decide how fast anything is; what it asks the
scheduler for is little, because the deployed stack, this one and a peer's copy of it have to fit on
one node of two cores.
"""

from collections.abc import Mapping
from typing import Any

from bench.namespaces import STACK
from components.todo.settings.settings import BackendSettings, FrontendSettings
from components.values.postgres.sizes import SERVER_RESOURCES
from components.values.resources import Resources

_PORTS = {"frontend": 30890, "backend": 30891}
_LIMITS = {
    "frontend": FrontendSettings().resources,
    "backend": BackendSettings().resources,
    "database": SERVER_RESOURCES,
}
_ASKS_FOR = {"cpuRequest": "20m", "memoryRequest": "64Mi"}
# Room for a database of 1 GB, what it is restored into beside it, and its dump.
_STORAGE, _BACKUP_STORAGE = {"size": "4Gi"}, {"size": "2Gi"}


def settings(given: Mapping[str, Any], images: Mapping[str, str]) -> dict[str, Any]:
    """Returns a stack's settings for a copy of it, made of the images that it has.

    Args:
        given: The deployed stack's `todo:settings`.
        images: Its images, by service.
    """
    apps = {
        app: {
            **given.get(app, {}),
            "exposure": {"mode": "nodePort", "port": port},
            "resources": _resources(app, given),
        }
        for app, port in _PORTS.items()
    }
    database = {
        **given.get("database", {}),
        "resources": _resources("database", given),
        "storage": _STORAGE,
        "backup": {"storage": _BACKUP_STORAGE},
    }
    return {
        **given,
        **apps,
        "database": database,
        "namespace": {"name": STACK},
        "images": {"mode": "prebuilt", **{app: images[app] for app in apps}},
    }


def _resources(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    usual: Resources = _LIMITS[name]
    return {
        "cpuLimit": usual.cpu_limit,
        "memoryLimit": usual.memory_limit,
        **given.get(name, {}).get("resources", {}),
        **_ASKS_FOR,
    }
