"""The Kubernetes API of the cluster that the settings name, for what Pulumi itself cannot see."""

import json
from functools import cached_property
from http import HTTPStatus
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
        request = self._client.param_serialize(
            method,
            path,
            header_params={"Accept": "application/json", "Content-Type": content},
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response = self._client.call_api(*request, _request_timeout=_SECONDS)
            text = response.read()
        except Exception as error:  # whatever the network, TLS or a credential plugin raises
            raise self._silent(method, path, str(error)) from None
        if response.status == HTTPStatus.NOT_FOUND:
            return None
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise self._silent(method, path, f"HTTP {response.status} {response.reason}")
        return json.loads(text)

    def _silent(self, method: str, path: str, reason: str) -> pulumi.RunError:
        return pulumi.RunError(
            f"the cluster ({self._cluster.context or 'current context'}) does not answer "
            f"{method} {path} ({' '.join(reason.split())[:200]}): make it reachable for you "
            "(kubectl get), then run again"
        )

    @cached_property
    def _client(self) -> Any:
        # Imported here: a preview that changes nothing does not pay for it.
        from kubernetes import client, config

        configuration: Any = client.Configuration()
        try:
            cast("Any", config).load_kube_config(
                self._cluster.kubeconfig,
                self._cluster.context,
                client_configuration=configuration,
            )
        except Exception as error:  # any of the many ways in which a kubeconfig can be wrong
            raise pulumi.RunError(
                f"the kubeconfig has no usable context {self._cluster.context or '(current)'} "
                f"({' '.join(str(error).split())[:200]}): correct todo:settings.cluster"
            ) from None
        configuration.retries = False
        return client.ApiClient(configuration)
