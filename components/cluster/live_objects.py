"""The objects in the cluster, whatever their kind."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from .api import Api


class LiveObjects:
    """Objects of the cluster, found by API version, kind and name."""

    def __init__(self, api: Api) -> None:
        """Names the cluster; nothing is read before it is asked."""
        self._api = api
        self._served = cache(self._read_served)

    def find(
        self, api_version: str, kind: str, namespace: str | None, name: str
    ) -> Mapping[str, Any] | None:
        """Returns an object, or None if there is none.

        Raises:
            pulumi.RunError: The cluster does not tell.
        """
        path = self._path(api_version, kind, namespace, name)
        return self._api.request("GET", path) if path else None

    def serves(self, api_version: str, kind: str) -> bool:
        """Returns whether the cluster has a kind, by its own or by somebody's definition.

        Raises:
            pulumi.RunError: The cluster does not tell.
        """
        return kind in self._served(api_version)

    def annotate(
        self, api_version: str, kind: str, namespace: str, name: str, annotations: Mapping[str, str]
    ) -> None:
        """Adds annotations to an object.

        Raises:
            pulumi.RunError: The cluster does not do it.
        """
        path = self._path(api_version, kind, namespace, name)
        if path:
            self._api.request("PATCH", path, {"metadata": {"annotations": dict(annotations)}})

    def _path(self, api_version: str, kind: str, namespace: str | None, name: str) -> str | None:
        plural, namespaced = self._served(api_version).get(kind, (None, False))
        if plural is None:
            return None  # a kind that the cluster does not know has no objects
        within = f"/namespaces/{namespace or 'default'}" if namespaced else ""
        return f"{_root(api_version)}{within}/{plural}/{name}"

    def _read_served(self, api_version: str) -> dict[str, tuple[str, bool]]:
        """Returns plural and scope of each kind of an API version."""
        listed: Any = self._api.request("GET", _root(api_version)) or {}
        return {
            it["kind"]: (it["name"], it["namespaced"])
            for it in listed.get("resources") or ()
            if "/" not in it["name"]  # status, scale and the like
        }


def _root(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
