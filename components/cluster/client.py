"""The Kubernetes API of a cluster, for what Pulumi itself cannot see."""

import json
import os
import ssl
import time
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast
from urllib.request import getproxies_environment

import pulumi

from .kubeconfig import current_context
from .proxy import proxied
from .remedies import Remedies

_SECONDS = (5.0, 60.0)
"""To connect, and to be answered, which a busy cluster may take long for."""
_PAUSES = (0.5, 1.0, 2.0)
"""In seconds, before a cluster that was too busy is asked once more."""
_PATIENT_SECONDS = 20.0
"""After which it is not asked once more."""
_BUSY = {429, 500, 502, 503, 504}


class _BusyError(pulumi.RunError):
    """The cluster has not answered, and may the next time."""


class ClusterApi:
    """Requests with plain dictionaries, through the provider's kubeconfig and context."""

    def __init__(
        self,
        *,
        kubeconfig: str | None = None,
        context: str | None = None,
        remedies: Remedies | None = None,
    ) -> None:
        """Names the cluster; nothing is read before the first request.

        Args:
            kubeconfig: A path; None: as kubectl finds it, or that of the pod it runs in.
            context: A context of it; None: the current one.
            remedies: What people are told where it cannot be used.
        """
        self._kubeconfig, self._context = kubeconfig, context
        self._remedies = remedies or Remedies()

    def request(self, method: str, path: str, body: object = None) -> Any:
        """Returns what the API server answers, None if there is no such object.

        One that is too busy is asked again: what is asked may be done twice.

        Raises:
            pulumi.RunError: It refuses, or cannot be reached.
        """
        end = time.monotonic() + _PATIENT_SECONDS
        for pause in _PAUSES:
            try:
                return self._ask(method, path, body)
            except _BusyError:
                if time.monotonic() + pause > end:
                    raise
                time.sleep(pause)
        return self._ask(method, path, body)

    def _ask(self, method: str, path: str, body: object) -> Any:
        from urllib3 import exceptions  # only here, like the kubernetes package below

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
        except (exceptions.ProtocolError, exceptions.TimeoutError) as error:
            raise _BusyError(self._silence(path, str(error))) from None
        except Exception as error:  # whatever the network, TLS or a credential plugin raises
            raise pulumi.RunError(self._silence(path, str(error))) from None
        if response.status == HTTPStatus.NOT_FOUND:
            return None
        if response.status >= HTTPStatus.BAD_REQUEST:
            said = self._silence(path, f"HTTP {response.status} {response.reason}")
            raise _BusyError(said) if response.status in _BUSY else pulumi.RunError(said)
        return json.loads(text)

    def _silence(self, path: str, reason: str) -> str:
        return (
            f"the cluster ({self._context or 'current context'}) does not tell what is at "
            f"{path} ({' '.join(reason.split())[:200]}), so nothing is changed there: make the "
            "cluster reachable and readable for you (kubectl get), then run again"
        )

    @cached_property
    def _client(self) -> Any:
        # Only here: the kubernetes package takes a second to import.
        from kubernetes import client, config

        configuration: Any = client.Configuration()
        configuration.proxy = None  # the environment's; what the kubeconfig says is set below
        path = self._kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
        context = self._context or current_context(path)
        load = cast("Any", config)
        inside = not any(Path(it).expanduser().exists() for it in path.split(os.pathsep))
        try:
            if inside and not self._kubeconfig:
                load.load_incluster_config(client_configuration=configuration)
            else:
                load.load_kube_config(path, context, client_configuration=configuration)
        except Exception as error:  # any of the many ways in which a kubeconfig can be wrong
            raise pulumi.RunError(
                f"the kubeconfig has no usable context {context or '(current)'} "
                f"({' '.join(str(error).split())[:200]}): {self._remedies.correct_cluster}"
            ) from None
        configuration.retries = False
        if configuration.proxy:
            configuration.no_proxy = None  # a kubeconfig's proxy-url holds whatever NO_PROXY says
        elif proxied(str(configuration.host)):
            configuration.proxy = getproxies_environment()["https"]
        made: Any = client.ApiClient(configuration)
        if configuration.verify_ssl:
            options = made.rest_client.pool_manager.connection_pool_kw
            options["ssl_context"] = _tls(configuration)
            # They are in it. urllib3 would load them again for each connection, while other
            # threads use what they replace, which can end the process (seen once, in OpenSSL).
            for loaded in ("ca_certs", "cert_file", "key_file"):
                options.pop(loaded, None)
        return made


def _tls(configuration: Any) -> ssl.SSLContext:
    """Returns what kubectl demands of a certificate, too.

    Python 3.13 also wants extensions that the authorities of some clusters lack
    (https://github.com/kubernetes-client/python/issues/2394).
    """
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert or None)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    return context
