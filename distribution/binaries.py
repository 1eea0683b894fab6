"""The programs of the embedded cluster: built from Go modules, or Debian's packages."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from distribution import recipes
from toolchain import files, internet, packages, ui

# What the embedded cluster takes from the distribution: a file to look for and its Debian package.
_CLUSTER = "The embedded cluster"
_PACKAGES = {
    "etcd": "etcd-server",
    "containerd": "containerd",
    "runc": "runc",
    "/usr/lib/cni/ptp": "containernetworking-plugins",
    "supervisord": "supervisor",
    "nft": "nftables",
    "iptables": "iptables",
    "ipset": "ipset",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "mount": "mount",
}


def ensure() -> None:
    """Makes them available in `.local/bin`, the daemons of Debian's packages on PATH.

    Raises:
        Failure: Something can neither be built nor installed.
    """
    missing = sorted({package for probe, package in _PACKAGES.items() if not _present(probe)})
    if missing:
        packages.install(missing, why=_CLUSTER)
    if not shutil.which("mmdebstrap") and not internet.registry_answers():
        packages.install(["mmdebstrap"], why=_CLUSTER)
    names = ("kubernetes", "buildkit", "kube-router", "volume-provisioner", "coredns", "pause")
    recipes.build_missing(names)
    for name in names[:4]:
        files.link_programs(recipes.output(name))
    ui.say(
        f"  kubernetes {recipes.KUBERNETES}, buildkit, kube-router, coredns: built from Go "
        "modules; etcd, containerd: installed"
    )


def _present(probe: str) -> bool:
    if probe.startswith("/"):
        return any(
            Path(folder, Path(probe).name).exists()
            for folder in ("/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni")
        )
    return shutil.which(probe, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None
