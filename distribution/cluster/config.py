"""Every configuration file of the embedded cluster."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from distribution.cluster import cgroups, kubernetes, runtime, supervisor


def write(root: Path, bin_dir: Path, *, enforce: bool) -> None:
    """Writes every configuration file below `root`; certificates are made once and kept.

    Args:
        root: The cluster's folder.
        bin_dir: The folder with the binaries that were built.
        enforce: Whether kube-router runs, which enforces NetworkPolicies.

    Raises:
        Failure: kubeadm could not make the certificates.
    """
    for name in (
        "config",
        "log",
        "etcd",
        "containerd",
        "buildkit",
        "volumes",
        "kubelet",
        "pods",
        "containers",
        "cni",
    ):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "etcd").chmod(0o700)
    config = root / "config"
    _dump(config / "kubeadm.yaml", *kubernetes.kubeadm_documents(root))
    kubernetes.certificates(root, bin_dir)
    _dump(config / "kubelet.yaml", kubernetes.kubelet(root))
    _dump(config / "kube-proxy.yaml", kubernetes.kube_proxy(root))
    (config / "cni").mkdir(exist_ok=True)
    (config / "cni" / "10-todo.conflist").write_text(json.dumps(runtime.cni(root), indent=2))
    (config / "containerd.toml").write_text(runtime.containerd(root))
    (config / "buildkitd.toml").write_text(runtime.buildkit(root))
    (config / "supervisord.conf").write_text("")
    supervisor.write(root, bin_dir, enforce=enforce)
    start = config / "start.sh"
    start.write_text(_start(root))
    start.chmod(0o755)


def _dump(path: Path, *documents: object) -> None:
    # JSON is YAML: no YAML writer is needed before the Python environment exists.
    path.write_text("\n---\n".join(json.dumps(d, indent=2) for d in documents) + "\n")


def _start(root: Path) -> str:
    """Returns the first process: it gives Kubernetes' fixed paths to `root`, then supervises."""
    quoted = shlex.quote(str(root))
    return f"""#!/bin/sh
set -eu
bind() {{ mkdir -p "$2"; mount --bind "$1" "$2"; }}
bind {quoted}/kubelet /var/lib/kubelet
bind {quoted}/containers /var/log/containers
mount -t tmpfs tmpfs /run/netns  # the pods' network namespaces end with this one
{cgroups.MOUNT}exec supervisord --configuration {quoted}/config/supervisord.conf
"""
