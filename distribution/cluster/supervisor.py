"""The cluster's processes, which supervisord starts and keeps running."""

from __future__ import annotations

import configparser
import os
import shlex
from pathlib import Path

from distribution.cluster import network, places

_NODE_BINARIES = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


def write(root: Path, bin_dir: Path, *, enforce: bool) -> None:
    """Writes supervisord's configuration.

    Args:
        root: The cluster's folder.
        bin_dir: The folder with the binaries that were built.
        enforce: Whether kube-router runs, which enforces NetworkPolicies.
    """
    pki, config = root / "pki", root / "config"
    etcd_pki = pki / "etcd"
    programs = {
        "etcd": [
            "etcd",
            f"--data-dir={root}/etcd",
            "--listen-client-urls=https://127.0.0.1:2379",
            "--advertise-client-urls=https://127.0.0.1:2379",
            "--listen-peer-urls=https://127.0.0.1:2380",
            "--initial-advertise-peer-urls=https://127.0.0.1:2380",
            "--initial-cluster=default=https://127.0.0.1:2380",
            f"--cert-file={etcd_pki}/server.crt",
            f"--key-file={etcd_pki}/server.key",
            f"--trusted-ca-file={etcd_pki}/ca.crt",
            "--client-cert-auth",
            f"--peer-cert-file={etcd_pki}/peer.crt",
            f"--peer-key-file={etcd_pki}/peer.key",
            f"--peer-trusted-ca-file={etcd_pki}/ca.crt",
            "--peer-client-cert-auth",
        ],
        "kube-apiserver": [
            f"{bin_dir}/kube-apiserver",
            f"--advertise-address={network.NODE_ADDRESS}",
            "--allow-privileged=true",
            "--authorization-mode=Node,RBAC",
            f"--client-ca-file={pki}/ca.crt",
            "--enable-admission-plugins=NodeRestriction",
            f"--etcd-cafile={etcd_pki}/ca.crt",
            f"--etcd-certfile={pki}/apiserver-etcd-client.crt",
            f"--etcd-keyfile={pki}/apiserver-etcd-client.key",
            "--etcd-servers=https://127.0.0.1:2379",
            f"--kubelet-client-certificate={pki}/apiserver-kubelet-client.crt",
            f"--kubelet-client-key={pki}/apiserver-kubelet-client.key",
            "--kubelet-preferred-address-types=InternalIP,Hostname",
            f"--proxy-client-cert-file={pki}/front-proxy-client.crt",
            f"--proxy-client-key-file={pki}/front-proxy-client.key",
            "--requestheader-allowed-names=front-proxy-client",
            f"--requestheader-client-ca-file={pki}/front-proxy-ca.crt",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-username-headers=X-Remote-User",
            "--secure-port=6443",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={pki}/sa.pub",
            f"--service-account-signing-key-file={pki}/sa.key",
            f"--service-cluster-ip-range={network.SERVICE_SUBNET}",
            f"--tls-cert-file={pki}/apiserver.crt",
            f"--tls-private-key-file={pki}/apiserver.key",
        ],
        "kube-controller-manager": [
            f"{bin_dir}/kube-controller-manager",
            f"--kubeconfig={config}/controller-manager.conf",
            f"--authentication-kubeconfig={config}/controller-manager.conf",
            f"--authorization-kubeconfig={config}/controller-manager.conf",
            "--bind-address=127.0.0.1",
            f"--client-ca-file={pki}/ca.crt",
            f"--cluster-signing-cert-file={pki}/ca.crt",
            f"--cluster-signing-key-file={pki}/ca.key",
            "--controllers=*",
            "--leader-elect=false",
            f"--root-ca-file={pki}/ca.crt",
            f"--service-account-private-key-file={pki}/sa.key",
            "--use-service-account-credentials=true",
        ],
        "kube-scheduler": [
            f"{bin_dir}/kube-scheduler",
            f"--kubeconfig={config}/scheduler.conf",
            f"--authentication-kubeconfig={config}/scheduler.conf",
            f"--authorization-kubeconfig={config}/scheduler.conf",
            "--bind-address=127.0.0.1",
            "--leader-elect=false",
        ],
        "kube-router": [
            f"{bin_dir}/kube-router",
            f"--kubeconfig={config}/kube-router.conf",
            f"--hostname-override={places.NODE_NAME}",
            f"--service-cluster-ip-range={network.SERVICE_SUBNET}",
            "--run-firewall=true",
            "--run-router=false",
            "--run-service-proxy=false",
            "--health-port=0",
        ],
        "containerd": ["containerd", f"--config={config}/containerd.toml"],
        "buildkitd": [f"{bin_dir}/buildkitd", f"--config={config}/buildkitd.toml"],
        "kubelet": [
            f"{bin_dir}/kubelet",
            f"--config={config}/kubelet.yaml",
            f"--kubeconfig={config}/kubelet.conf",
            f"--hostname-override={places.NODE_NAME}",
            f"--node-ip={network.NODE_ADDRESS}",
        ],
        "kube-proxy": [f"{bin_dir}/kube-proxy", f"--config={config}/kube-proxy.yaml"],
        "volume-provisioner": [
            f"{bin_dir}/volume-provisioner",
            f"--kubeconfig={config}/admin.conf",
            f"--root={root}/volumes",
            f"--node={places.NODE_NAME}",
        ],
    }
    if not enforce:
        del programs["kube-router"]
    ini = configparser.RawConfigParser()
    ini["unix_http_server"] = {"file": str(places.SUPERVISOR_SOCKET), "chmod": "0700"}
    ini["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    ini["supervisorctl"] = {"serverurl": f"unix://{places.SUPERVISOR_SOCKET}"}
    ini["supervisord"] = {
        "nodaemon": "true",
        "user": "root",
        "logfile": str(root / "log" / "supervisord.log"),
        "pidfile": str(places.RUN / "supervisord.pid"),
        "environment": f'PATH="{bin_dir}:{os.pathsep.join(_NODE_BINARIES)}"',
    }
    for priority, (name, command) in enumerate(programs.items()):
        ini[f"program:{name}"] = {
            "command": shlex.join(command),
            "priority": str(priority),
            # Started when the node and its role are there: it would wait long before it asks again.
            "autostart": str(name != "kube-router").lower(),
            "autorestart": "true",
            "startretries": "1000",
            "stopwaitsecs": "15",
            "stdout_logfile": str(root / "log" / f"{name}.log"),
            "stdout_logfile_maxbytes": "20MB",
            "stdout_logfile_backups": "1",
            "redirect_stderr": "true",
        }
    with (root / "config" / "supervisord.conf").open("w") as file:
        ini.write(file)


def enforces(root: Path) -> bool:
    """Returns whether the cluster that was written to `root` enforces NetworkPolicies."""
    return "[program:kube-router]" in (root / "config" / "supervisord.conf").read_text()
