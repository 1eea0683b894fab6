"""NetworkPolicies: kube-router enforces them by iptables and IP sets in the cluster's network."""

from __future__ import annotations

from distribution.cluster import network
from toolchain import ui

# One rule for every kernel feature that kube-router's rules use.
_PROBE = """
ipset create pods hash:ip timeout 0
ipset create blocks hash:net timeout 0
iptables -A FORWARD -m set --match-set pods src -m set --match-set blocks dst -j REJECT
iptables -A FORWARD -m conntrack --ctstate INVALID -m comment --comment probe -j DROP
iptables -A FORWARD -m physdev --physdev-is-bridged -j MARK --set-xmark 0x10000/0x10000
iptables -A FORWARD -m mark ! --mark 0x10000/0x10000 -m limit --limit 10/minute -j NFLOG
iptables -A INPUT -p tcp -m addrtype --dst-type LOCAL -m multiport --dports 1:2 -j RETURN
"""


def supported() -> bool:
    """Returns whether this kernel takes such rules.

    Tried in a network namespace that goes at once.
    """
    return ui.capture(["unshare", "--net", "sh", "-ec", _PROBE]) is not None


def close() -> None:
    """Drops what kube-router has not allowed, before it has written its first rules too.

    Raises:
        Failure: The kernel refused the rules.
    """
    for chain in (["FORWARD"], ["INPUT", "-s", network.POD_SUBNET]):
        network.inside(
            "iptables", "-A", *chain, "-m", "conntrack", "--ctstate", "NEW", "-j", "DROP"
        )


def ready() -> str | None:
    """Returns kube-router's chain for what is forwarded, or None before it is there."""
    return ui.capture(network.entered("iptables", "-S", "KUBE-ROUTER-FORWARD"))
