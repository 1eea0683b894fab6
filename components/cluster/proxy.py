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
