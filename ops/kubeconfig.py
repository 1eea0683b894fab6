"""The kubeconfig as kubectl reads it, where the Python client would read it in another way."""

import ipaddress
import os
import ssl
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

import yaml
from kubernetes import client, config

from cluster_objects.kubeconfig import has_contents
from console.failure import ExitCode, Failure


def api_client(kubeconfig: str | None, context: str | None) -> Any:
    """Returns a client for a context's cluster; no request is sent.

    Args:
        kubeconfig: A path, a list of paths, or the contents; None: as kubectl finds it.
        context: The context; None: the current one.

    Raises:
        Failure: There is no such context, or the kubeconfig cannot be read.
    """
    configuration: Any = client.Configuration()
    configuration.proxy = None  # the environment's; what the kubeconfig says is set below
    load = cast("Any", config)
    try:
        if kubeconfig and has_contents(kubeconfig):
            load.load_kube_config_from_dict(
                yaml.safe_load(kubeconfig), context=context, client_configuration=configuration
            )
        else:
            files = kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
            load.load_kube_config(
                config_file=files,
                context=context or _current_context(files),
                client_configuration=configuration,
            )
    except Exception as error:  # any of the many ways in which a kubeconfig can be wrong
        raise Failure(
            f"The kubeconfig has no usable context {context or '(current)'} "
            f"({' '.join(str(error).split())[:200]}); correct it or run `make up`.",
            ExitCode.UNREACHABLE,
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
        # They are in it. urllib3 would load them again for each connection, while other threads use
        # what they replace, which can end the process (seen once, in OpenSSL).
        for loaded in ("ca_certs", "cert_file", "key_file"):
            options.pop(loaded, None)
    return made


def _tls(configuration: Any) -> ssl.SSLContext:
    """Returns what kubectl demands of a certificate, too.

    Python 3.13 also wants extensions that the authorities of some clusters lack
    (https://github.com/kubernetes-client/python/issues/2394). Commands in pods and forwarded ports
    go through another library, which does not.
    """
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert or None)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    return context


def _current_context(files: str) -> str | None:
    """Returns what kubectl takes: the first file's that has one. The client would take the last."""
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
    if host == "localhost" or _covers("127.0.0.0/8", host) or _covers("::1", host):
        return False
    without = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    entries = [it.strip().lower() for it in without.split(",")]
    return "https" in getproxies_environment() and not any(_covers(it, host) for it in entries)


def _covers(entry: str, host: str) -> bool:
    if entry == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:  # one of them is a name
        name = entry.removeprefix("*").lstrip(".")
        return bool(name) and f".{host}".endswith(f".{name}")
