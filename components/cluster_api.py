"""The Kubernetes API of the cluster that the settings name, for what Pulumi itself cannot see."""

import json
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

import pulumi

from components.settings import ClusterSettings

_SECONDS = (5.0, 15.0)
"""To connect, and to be answered."""


class ClusterApi:
    """Requests with plain dictionaries, through the provider's kubeconfig and context."""

    def __init__(self, cluster: ClusterSettings) -> None:
        """Names the cluster; nothing is read before the first request."""
        self._cluster = cluster

    def request(self, method: str, path: str, body: object = None) -> Any:
        """Returns what the API server answers, None if there is no such object.

        Raises:
            pulumi.RunError: It refuses, or cannot be reached.
        """
        content = "application/merge-patch+json" if method == "PATCH" else "application/json"
        client = self._client
        try:
            request = client.param_serialize(
                method,
                path,
                header_params={"Accept": "application/json", "Content-Type": content},
                body=body,
                auth_settings=["BearerToken"],
            )
            response = client.call_api(*request, _request_timeout=_SECONDS)
            text = response.read()
        except Exception as error:  # whatever the network, TLS or a credential plugin raises
            raise self._silent(path, str(error)) from None
        if response.status == HTTPStatus.NOT_FOUND:
            return None
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise self._silent(path, f"HTTP {response.status} {response.reason}")
        return json.loads(text)

    def _silent(self, path: str, reason: str) -> pulumi.RunError:
        return pulumi.RunError(
            f"the cluster ({self._cluster.context or 'current context'}) does not tell what is at "
            f"{path} ({' '.join(reason.split())[:200]}), so nothing is changed there: make the "
            "cluster reachable and readable for you (kubectl get), then run again"
        )

    @cached_property
    def _client(self) -> Any:
        # Only here: the kubernetes package takes a second to import.
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
