"""Ranges of addresses, and the addresses of HTTP services."""

import ipaddress
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, TypeAdapter, ValidationError

from .names import HostName, RemoteHost
from .text import Text


def _cidr(value: str) -> str:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        network = None
    if network is None or "/" not in value or "%" in value:
        raise ValueError("expected a range of addresses such as 10.0.0.0/8 or fd00::/8")
    if isinstance(network, ipaddress.IPv6Network) and network.network_address.ipv4_mapped:
        raise ValueError("expected an IPv4 range written as such, like 10.0.0.0/8")
    if str(network) != value:
        # Kubernetes takes 10.0.0.1/8 with a warning; readers take it for one address.
        raise ValueError(f"expected a range of addresses in its plain form, here {network}")
    return value


def _part_of_all(value: str) -> str:
    if value.endswith("/0"):
        raise ValueError("expected a range smaller than all addresses")
    return value


def is_ipv6(cidr: str | None) -> bool:
    """Returns whether a range is of IPv6; one that is not known (None) is taken for IPv4."""
    return cidr is not None and ipaddress.ip_network(cidr).version == 6


def everywhere(pod_cidr: str | None) -> str:
    """Returns the range of all addresses that a cluster's pods can reach and be reached from.

    Args:
        pod_cidr: Addresses of the pods; those of IPv6 mean a cluster of IPv6. None: IPv4.
    """
    return "::/0" if is_ipv6(pod_cidr) else "0.0.0.0/0"


def holds(cidr: str, host: str) -> bool:
    """Returns whether a host is in a range; one that is given by its name may be."""
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(cidr)
    except ValueError:
        return True


_HOST = TypeAdapter[str](HostName)
_REMOTE_HOST = TypeAdapter[str](RemoteHost)


def _http(value: str) -> str:
    wrong = ValueError("expected an address such as https://chat.example.com:8443/v1")
    try:
        url = urlsplit(value)
        port, host = url.port, _HOST.validate_python(url.hostname)
    except (ValueError, ValidationError):
        raise wrong from None
    if url.scheme not in ("http", "https") or port == 0 or not host or " " in value:
        raise wrong
    if "@" in url.netloc:
        raise ValueError("expected no user or password in the address: secrets are given apart")
    if "?" in value or "#" in value:
        raise ValueError("expected an address that ends with its path; nothing after ? or #")
    try:
        _REMOTE_HOST.validate_python(host)
    except ValidationError as error:
        raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
    return value


Cidr = Annotated[Text, AfterValidator(_cidr)]
PodCidr = Annotated[Cidr, AfterValidator(_part_of_all)]
"""Pods' addresses, which are left out of all addresses and so cannot be all of them."""
HttpAddress = Annotated[Text, AfterValidator(_http)]
"""Of a service that pods connect to."""
