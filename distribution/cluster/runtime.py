"""Configuration of containerd, of BuildKit on it, and of the pods' network."""

from __future__ import annotations

from pathlib import Path

from console.failure import Failure
from distribution.cluster import network, places, registry


def cni(root: Path) -> object:
    """Returns the network that pods are put into."""
    # ptp routes every pod through the node, so Services work without the bridge netfilter module.
    return {
        "cniVersion": "0.4.0",
        "name": "todo",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": False,
                "mtu": 1400,
                "ipam": {
                    "type": "host-local",
                    "dataDir": str(root / "cni"),
                    "ranges": [[{"subnet": network.POD_SUBNET}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
        ],
    }


def containerd(root: Path) -> str:
    """Returns containerd's configuration."""
    return f"""version = 2
root = "{root}/containerd"
state = "{places.RUN}/containerd"

[grpc]
  address = "{places.CONTAINERD_SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{places.PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  enable_unprivileged_ports = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{_cni_bin()}"
    conf_dir = "{root}/config/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{registry.folder(root)}"
"""


def _cni_bin() -> Path:
    """Returns their folder.

    Debian keeps the CNI plugins in /usr/lib/cni, most other systems in /opt/cni/bin.
    """
    for folder in ("/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"):
        if Path(folder, "ptp").exists():
            return Path(folder)
    raise Failure("The CNI plugins are missing; install containernetworking-plugins and run again.")


def buildkit(root: Path) -> str:
    """Returns BuildKit's configuration: it builds into the image store of the pods."""
    return f"""root = "{root}/buildkit"
[grpc]
  address = ["unix://{places.BUILDKIT_SOCKET}"]
[worker.oci]
  enabled = false
[worker.containerd]
  enabled = true
  address = "{places.CONTAINERD_SOCKET}"
  namespace = "k8s.io"
  networkMode = "host"
[registry."{registry.ADDRESS}"]
  tlsconfigdir = ["{registry.folder(root) / registry.ADDRESS}"]
"""
