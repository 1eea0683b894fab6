"""Whether an API server is reached through the environment's proxy."""

import ipaddress
import os
from urllib.parse import urlsplit
from urllib.request import getproxies_environment


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
