"""The cluster's own network namespace: one virtual link to the host, NAT for what leaves it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from toolchain import whole_file
from toolchain.ui import Failure

NAMESPACE = "todo"
HOST_ADDRESS = "10.89.0.1"
NODE_ADDRESS = "10.89.0.2"
LINK_SUBNET = "10.89.0.0/24"
POD_SUBNET = "10.89.64.0/18"
SERVICE_SUBNET = "10.89.128.0/18"
DNS_ADDRESS = "10.89.128.10"
HOST_LINK, _NODE_LINK = "todo-host", "todo-node"
_TABLE = "todo_cluster"
_NETNS = Path("/run/netns", NAMESPACE)
_LINKED = Path("/sys/class/net", HOST_LINK)
"""There for as long as the link is."""
_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
_ROUTE_LOCALNET = Path(f"/proc/sys/net/ipv4/conf/{HOST_LINK}/route_localnet")


def up(remember: Path) -> None:
    """Makes the namespace, the link and the NAT table; a second call changes nothing.

    Args:
        remember: File that keeps the host's former `ip_forward` value, so that `down` can restore
            it.

    Raises:
        Failure: The kernel or missing rights do not allow it, or the subnet is in use.
    """
    if not _NETNS.exists():
        routes = subprocess.run(
            ["ip", "route", "show", "to", "match", NODE_ADDRESS], capture_output=True, text=True
        )
        if any(not line.startswith("default") for line in routes.stdout.splitlines()):
            raise Failure(
                f"The network {LINK_SUBNET} is already in use on this machine; free it or use "
                "Minikube."
            )
        try:
            _make()
        except Failure:
            # Without the link it would be taken for somebody's.
            subprocess.run(["ip", "netns", "delete", NAMESPACE], capture_output=True, check=False)
            raise
    elif not _LINKED.exists():
        raise Failure(
            f"This machine has a network namespace {NAMESPACE} that is not the cluster's; if "
            f"nobody needs it, `ip netns delete {NAMESPACE}`, and run again, or use Minikube."
        )
    if not remember.exists():
        whole_file.replace(remember, _FORWARD.read_text())
    _FORWARD.write_text("1\n")
    _run(["nft", "-f", "-"], _masquerade(LINK_SUBNET, f'oifname != "{HOST_LINK}"'))
    # Pods leave the node with its address: the host knows no route to them.
    inside("nft", "-f", "-", text=_masquerade(POD_SUBNET, f'oifname "{_NODE_LINK}"'))


def _make() -> None:
    _ip("netns", "add", NAMESPACE)
    _ip(
        "link",
        "add",
        HOST_LINK,
        "type",
        "veth",
        "peer",
        "name",
        _NODE_LINK,
        "netns",
        NAMESPACE,
    )
    _ip("addr", "add", f"{HOST_ADDRESS}/24", "dev", HOST_LINK)
    _ip("link", "set", HOST_LINK, "up")
    _ip("-n", NAMESPACE, "addr", "add", f"{NODE_ADDRESS}/24", "dev", _NODE_LINK)
    _ip("-n", NAMESPACE, "link", "set", _NODE_LINK, "up")
    _ip("-n", NAMESPACE, "link", "set", "lo", "up")
    _ip("-n", NAMESPACE, "route", "add", "default", "via", HOST_ADDRESS)
    inside("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")


def down(remember: Path) -> None:
    """Removes what `up` made and restores `ip_forward`; nothing else on the host is touched.

    A namespace of that name without the link to this machine is somebody's own.
    """
    subprocess.run(["nft", "delete", "table", "ip", _TABLE], capture_output=True, check=False)
    if _LINKED.exists():
        subprocess.run(["ip", "link", "delete", HOST_LINK], capture_output=True, check=False)
        subprocess.run(["ip", "netns", "delete", NAMESPACE], capture_output=True, check=False)
    if remember.exists():
        _FORWARD.write_text(remember.read_text())
        remember.unlink()


def route_loopback() -> None:
    """Lets what is for 127.0.0.1 leave for the cluster.

    Raises:
        Failure: This kernel or its container does not let it be set.
    """
    try:
        _ROUTE_LOCALNET.write_text("1\n")
    except OSError as error:
        raise Failure(f"{_ROUTE_LOCALNET} cannot be written: {error.strerror}") from None


def load_rules(script: str) -> None:
    """Loads an nftables script on this machine.

    Raises:
        Failure: The kernel refused it.
    """
    _run(["nft", "-f", "-"], script)


def entered(*command: str) -> list[str]:
    """Returns the command that runs `command` in the cluster's network."""
    return ["nsenter", f"--net=/run/netns/{NAMESPACE}", *command]


def inside(*command: str, text: str | None = None) -> None:
    """Runs a command in the cluster's network, with `text` as its input.

    Raises:
        Failure: The command failed.
    """
    _run(entered(*command), text)


def _ip(*arguments: str) -> None:
    _run(["ip", *arguments])


def _masquerade(source: str, leaving: str) -> str:
    """Returns an nftables script that replaces our table; a second run changes nothing."""
    return f"""table ip {_TABLE}
delete table ip {_TABLE}
table ip {_TABLE} {{
  chain postrouting {{
    type nat hook postrouting priority srcnat
    ip saddr {source} {leaving} masquerade
  }}
}}
"""


def _run(command: list[str], text: str | None = None) -> None:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(
            f"The cluster's network could not be made: `{' '.join(command)}` said "
            f"{(done.stderr or done.stdout).strip()[:200]!r}; this kernel may lack network "
            "namespaces or nftables, use Minikube."
        )
