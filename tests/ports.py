"""Ports of this machine for servers that are told one before they listen."""

import random
import socket

_RANGE = range(20_000, 30_000)
"""Below what Linux gives to clients, and to who binds to no port in particular (32768 and more,
`net.ipv4.ip_local_port_range`): one of those may be taken again before a server has it."""


def free_port(address: str = "127.0.0.1") -> int:
    """Returns a port that nobody has, and that nobody gets by chance before it is used."""
    for port in random.sample(_RANGE, 100):
        with socket.socket() as probe:
            if _is_free(probe, address, port):
                return port
    raise AssertionError(f"none of 100 ports of {address} is free")


def _is_free(probe: socket.socket, address: str, port: int) -> bool:
    try:
        probe.bind((address, port))
    except OSError:
        return False
    return True
