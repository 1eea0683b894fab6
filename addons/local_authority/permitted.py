"""Whom the local authority may certify; nothing here needs more than Python."""

import ipaddress
from typing import Final

DOMAINS: Final = ("localhost", "test", "internal", "home.arpa", "svc", "cluster.local")
"""Domains that exist in no public DNS (RFC 6761, RFC 8375; ICANN's resolution 2024.07.29.06): who
trusts the authority trusts it with no site of others, even if its key is lost."""
NETWORKS: Final = ("10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
"""Private addresses (RFC 1918) and the machine's own."""


def is_permitted(host: str) -> bool:
    """Tells whether the authority may certify a host, which is a name or an address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return f".{host}".endswith(tuple(f".{domain}" for domain in DOMAINS))
    return any(address in ipaddress.ip_network(it) for it in NETWORKS)
