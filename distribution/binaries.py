"""The programs of the embedded cluster: built from Go modules, or Debian's packages."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from distribution import recipes
from toolchain import files, internet, packages, ui

RECIPES = ("kubernetes", "buildkit")
_IN_IMAGES = ("coredns", "pause")
"""Programs that run in pods alone."""

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
    install_packages()
    recipes.build_missing(RECIPES)
    for name in RECIPES:
        programs = [it for it in recipes.RECIPES[name].files if it not in _IN_IMAGES]
        files.link_programs(recipes.output(name) / it for it in programs)
    ui.say(
        f"  kubernetes {recipes.KUBERNETES}, buildkit, kube-router, coredns: built from Go "
        "modules; etcd, containerd: installed"
    )


def install_packages() -> None:
    """Installs what the cluster takes from the distribution, unless it is there.

    Raises:
        Failure: It cannot be installed.
    """
    missing = sorted({package for probe, package in _PACKAGES.items() if not _present(probe)})
    if missing:
        packages.install(missing, why=_CLUSTER)
    if not shutil.which("mmdebstrap") and not internet.registry_answers():
        packages.install(["mmdebstrap"], why=_CLUSTER)


def _present(probe: str) -> bool:
    if probe.startswith("/"):
        return any(
            Path(folder, Path(probe).name).exists()
            for folder in ("/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni")
        )
    return shutil.which(probe, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None
