"""Ports of 127.0.0.1 that lead to the node, for hosts that browsers look for there alone.

`*.localhost` is this machine's own (RFC 6761), and the gateway's hosts are such ones. So where the
add-ons have a gateway, its ports lead to it as long as the cluster runs.
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from console.failure import Failure
from distribution.cluster import network
from toolchain import ui, whole_file

_TABLE = "todo_loopback"


def lead(root: Path, ports: Sequence[int]) -> None:
    """Has ports lead to the node, now and whenever the cluster starts.

    Args:
        root: The cluster's folder.
        ports: The ports; none: those that led to it do so no more.
    """
    whole_file.replace(_file(root), json.dumps([int(it) for it in ports]))
    down()
    up(root)


def up(root: Path) -> None:
    """Has the ports lead to the node that `lead` was told of; a failure is said and no more.

    Args:
        root: The cluster's folder.
    """
    wanted: list[int] = json.loads(_file(root).read_text()) if _file(root).exists() else []
    ports = _free(wanted)
    if not ports:
        return
    try:
        network.route_loopback()
        network.load_rules(rules(ports))
    except Failure as failure:
        ui.say(
            f"  ports {', '.join(map(str, ports))} of 127.0.0.1 do not lead to the gateway, since "
            f"this kernel does not let them ({failure}); `kubectl port-forward` makes a way"
        )


def down() -> None:
    """Takes the rules away, if there are any."""
    subprocess.run(["nft", "delete", "table", "ip", _TABLE], capture_output=True, check=False)


def rules(ports: Sequence[int]) -> str:
    """Returns the nftables script.

    What comes from the cluster is kept away from the machine's own loopback services, which
    `route_localnet` alone would open to it (CVE-2020-8558).

    Args:
        ports: The ports that lead to the node.
    """
    return f"""table ip {_TABLE} {{
  chain strangers {{
    type filter hook prerouting priority raw
    iifname "{network.HOST_LINK}" ip daddr 127.0.0.0/8 drop
  }}
  chain loopback {{
    type nat hook output priority -100
    ip daddr 127.0.0.1 tcp dport {{ {", ".join(map(str, ports))} }} dnat to {network.NODE_ADDRESS}
  }}
  chain source {{
    type nat hook postrouting priority srcnat
    ip saddr 127.0.0.0/8 oifname "{network.HOST_LINK}" masquerade
  }}
}}
"""


def _free(ports: Sequence[int]) -> list[int]:
    """Returns the ports that nothing on this machine listens on."""
    free: list[int] = []
    for port in ports:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                ui.say(f"  port {port} of 127.0.0.1 is in use, and stays whose it is")
                continue
        free.append(port)
    return free


def _file(root: Path) -> Path:
    return root / "config" / "loopback.json"
