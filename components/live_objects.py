"""The objects in the cluster, read as whoever runs Pulumi."""

import json
from collections.abc import Mapping
from functools import cache, cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

import pulumi

from components.settings import ClusterSettings

_SECONDS = (5.0, 15.0)
"""To connect, and to be answered."""


class LiveObjects:
    """Objects of the cluster that the provider deploys to, found through the same kubeconfig."""

    def __init__(self, cluster: ClusterSettings) -> None:
        """Names the cluster; nothing is read before it is asked."""
        self._cluster = cluster
        self._served = cache(self._read_served)

    def find(
        self, api_version: str, kind: str, namespace: str | None, name: str
    ) -> Mapping[str, Any] | None:
        """Returns an object, or None if there is none.

        Raises:
            pulumi.RunError: The cluster does not tell.
        """
        path = self._path(api_version, kind, namespace, name)
        return self._request("GET", path) if path else None

    def annotate(
        self, api_version: str, kind: str, namespace: str, name: str, annotations: Mapping[str, str]
    ) -> None:
        """Adds annotations to an object.

        Raises:
            pulumi.RunError: The cluster does not do it.
        """
        path = self._path(api_version, kind, namespace, name)
        if path:
            self._request("PATCH", path, {"metadata": {"annotations": dict(annotations)}})

    def _path(self, api_version: str, kind: str, namespace: str | None, name: str) -> str | None:
        plural, namespaced = self._served(api_version).get(kind, (None, False))
        if plural is None:
            return None  # a kind that the cluster does not know has no objects
        within = f"/namespaces/{namespace or 'default'}" if namespaced else ""
        return f"{_api(api_version)}{within}/{plural}/{name}"

    def _read_served(self, api_version: str) -> dict[str, tuple[str, bool]]:
        """Returns plural and scope of each kind of an API version."""
        listed = self._request("GET", _api(api_version)) or {}
        return {
            it["kind"]: (it["name"], it["namespaced"])
            for it in listed.get("resources") or ()
            if "/" not in it["name"]  # status, scale and the like
        }

    def _request(self, method: str, path: str, body: object = None) -> Mapping[str, Any] | None:
        try:
            prepared = self._client.param_serialize(
                method,
                path,
                header_params={"Accept": "application/json"}
                | ({"Content-Type": "application/merge-patch+json"} if body else {}),
                body=body,
                auth_settings=["BearerToken"],
            )
            response = self._client.call_api(*prepared, _request_timeout=_SECONDS)
            content = response.read()
        except pulumi.RunError:
            raise
        except Exception as error:  # whatever the network, TLS or a credential plugin raises
            raise self._silent(path, str(error)) from None
        if response.status == HTTPStatus.NOT_FOUND:
            return None
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise self._silent(path, f"HTTP {response.status} {response.reason}")
        return json.loads(content)

    def _silent(self, path: str, reason: str) -> pulumi.RunError:
        return pulumi.RunError(
            f"the cluster ({self._cluster.context or 'current context'}) does not tell what is at "
            f"{path} ({' '.join(reason.split())[:200]}), so nothing is created there: make the "
            "cluster reachable and readable for you (kubectl get), then run again"
        )

    @cached_property
    def _client(self) -> Any:
        # Only here: an update that creates nothing does not pay for the import.
        from kubernetes import client, config

        configuration: Any = client.Configuration()
        path, context = self._cluster.kubeconfig, self._cluster.context
        load = cast("Any", config)
        default = str(load.kube_config.KUBE_CONFIG_DEFAULT_LOCATION)
        inside = not path and not any(Path(it).expanduser().exists() for it in default.split(":"))
        try:
            if inside:
                load.load_incluster_config(client_configuration=configuration)
            else:
                load.load_kube_config(path, context, client_configuration=configuration)
        except Exception as error:  # any of the many ways in which a kubeconfig can be wrong
            raise pulumi.RunError(
                f"the kubeconfig has no usable context {context or '(current)'} "
                f"({' '.join(str(error).split())[:200]}): correct todo:settings.cluster"
            ) from None
        configuration.retries = False
        return client.ApiClient(configuration)


def _api(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
