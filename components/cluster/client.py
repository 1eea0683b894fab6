"""The Kubernetes API of the cluster that the settings name, for what Pulumi itself cannot see."""

import ipaddress
import json
import os
import ssl
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

import pulumi
import yaml

from ..todo.settings.settings import ClusterSettings

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
        path = self._cluster.kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
        context = self._cluster.context or current_context(path)
        load = cast("Any", config)
        inside = not any(Path(it).expanduser().exists() for it in path.split(os.pathsep))
        try:
            if inside and not self._cluster.kubeconfig:
                load.load_incluster_config(client_configuration=configuration)
            else:
                load.load_kube_config(path, context, client_configuration=configuration)
        except Exception as error:  # any of the many ways in which a kubeconfig can be wrong
            raise pulumi.RunError(
                f"the kubeconfig has no usable context {context or '(current)'} "
                f"({' '.join(str(error).split())[:200]}): correct todo:settings.cluster"
            ) from None
        configuration.retries = False
        if not proxied(str(configuration.host)):
            configuration.proxy = None
        made: Any = client.ApiClient(configuration)
        if configuration.verify_ssl:
            made.rest_client.pool_manager.connection_pool_kw["ssl_context"] = _tls(configuration)
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


def current_context(files: str) -> str | None:
    """Returns the current context of a list of kubeconfigs: that of the first which has one.

    So does kubectl, and the plugin with it ("Organizing Cluster Access Using kubeconfig Files");
    the Python client would take the last.
    """
    for file in files.split(os.pathsep):
        try:
            content: Any = yaml.safe_load(Path(file).expanduser().read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError):
            continue
        if isinstance(content, dict) and (found := cast("Any", content).get("current-context")):
            return str(found)
    return None


def proxied(url: str) -> bool:
    """Returns whether kubectl would reach an address through the environment's proxy.

    Never one of this machine, nor what NO_PROXY says, ranges of addresses included
    (https://pkg.go.dev/golang.org/x/net/http/httpproxy).
    """
    host = urlsplit(url).hostname or ""
    if host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback):
        return False
    without = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    entries = [it.strip().lower() for it in without.split(",") if it.strip()]
    return "https" in getproxies_environment() and not any(_covers(it, host) for it in entries)


def _covers(entry: str, host: str) -> bool:
    if entry == "*":
        return True
    if _is_address(host):
        try:
            return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    return host == entry.lstrip(".") or host.endswith(f".{entry.lstrip('.')}")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
