"""Configuration of the embedded cluster's processes, and certificates, which kubeadm makes."""

from __future__ import annotations

import configparser
import json
import os
from pathlib import Path

from console.failure import Failure
from distribution.cluster import cgroups, network
from distribution.recipes import KUBERNETES
from toolchain import ui

NODE_NAME = "todo"
RUN = Path("/run/todo-cluster")
CONTAINERD_SOCKET = RUN / "containerd.sock"
BUILDKIT_SOCKET = RUN / "buildkitd.sock"
SUPERVISOR_SOCKET = RUN / "supervisor.sock"
PAUSE_IMAGE = "localhost/todo/pause:1"
COREDNS_IMAGE = "localhost/todo/coredns:v1.12.1"
_CLIENTS = {"kube-proxy": "system:kube-proxy", "kube-router": "kube-router"}
_NODE_BINARIES = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


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
    _dump(config / "kubeadm.yaml", *_kubeadm(root))
    _certificates(root, bin_dir)
    _dump(config / "kubelet.yaml", _kubelet(root))
    _dump(config / "kube-proxy.yaml", _kube_proxy(root))
    (config / "cni").mkdir(exist_ok=True)
    (config / "cni" / "10-todo.conflist").write_text(json.dumps(_cni(root), indent=2))
    (config / "containerd.toml").write_text(_containerd(root))
    (config / "buildkitd.toml").write_text(_buildkit(root))
    (config / "supervisord.conf").write_text("")
    _supervisor(root, bin_dir, enforce=enforce)
    start = config / "start.sh"
    start.write_text(_start(root))
    start.chmod(0o755)


def enforces(root: Path) -> bool:
    """Returns whether the cluster that was written to `root` enforces NetworkPolicies."""
    return "[program:kube-router]" in (root / "config" / "supervisord.conf").read_text()


def _dump(path: Path, *documents: object) -> None:
    # JSON is YAML: no YAML writer is needed before the Python environment exists.
    path.write_text("\n---\n".join(json.dumps(d, indent=2) for d in documents) + "\n")


def _kubeadm(root: Path) -> tuple[object, ...]:
    address = network.NODE_ADDRESS
    return (
        {
            "apiVersion": "kubeadm.k8s.io/v1beta4",
            "kind": "InitConfiguration",
            "localAPIEndpoint": {"advertiseAddress": address, "bindPort": 6443},
            "nodeRegistration": {"name": NODE_NAME, "criSocket": f"unix://{CONTAINERD_SOCKET}"},
        },
        {
            "apiVersion": "kubeadm.k8s.io/v1beta4",
            "kind": "ClusterConfiguration",
            "clusterName": NODE_NAME,
            "kubernetesVersion": KUBERNETES,
            "certificatesDir": str(root / "pki"),
            "controlPlaneEndpoint": f"{address}:6443",
            "networking": {
                "podSubnet": network.POD_SUBNET,
                "serviceSubnet": network.SERVICE_SUBNET,
            },
            "dns": {"imageRepository": "localhost/todo", "imageTag": "v1.12.1"},
            "etcd": {"local": {"serverCertSANs": ["127.0.0.1"]}},
        },
    )


def _certificates(root: Path, bin_dir: Path) -> None:
    targets = {name: root / "config" / f"{name}.conf" for name in _CLIENTS}
    if all(target.exists() for target in targets.values()):
        return
    kubeadm, config = bin_dir / "kubeadm", root / "config" / "kubeadm.yaml"
    log = root / "log" / "kubeadm.log"
    for phase in (
        ["certs", "all"],
        ["kubeconfig", "all", "--kubeconfig-dir", str(root / "config")],
    ):
        ui.run(
            [kubeadm, "init", "phase", *phase, "--config", config],
            log=log,
            what=f"kubeadm {phase[0]}",
        )
    for name, target in targets.items():
        user = ["--client-name", _CLIENTS[name], "--config", str(config)]
        kubeconfig = ui.capture([kubeadm, "kubeconfig", "user", *user])
        if kubeconfig is None:
            raise Failure(
                f"kubeadm could not make {name}'s kubeconfig; run `make cluster-down` and try "
                f"again (log: {log})."
            )
        target.touch(mode=0o600)
        target.write_text(kubeconfig)


def _kubelet(root: Path) -> object:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(root / "pki" / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "clusterDNS": [network.DNS_ADDRESS],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "address": network.NODE_ADDRESS,
        "failSwapOn": False,
        "failCgroupV1": False,
        "featureGates": {"KubeletInUserNamespace": True},
        "podLogsDir": str(root / "pods"),
        "resolvConf": str(root / "config" / "resolv.conf"),
        "rotateCertificates": False,
        "serverTLSBootstrap": False,
        # A laptop's disk is often nearly full: evict late, and never throw away images that only
        # exist here.
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "imagefs.available": "1%",
        },
        "imageGCHighThresholdPercent": 100,
        "imageMaximumGCAge": "0s",
    }


def _kube_proxy(root: Path) -> object:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(root / "config" / "kube-proxy.conf")},
        "clusterCIDR": network.POD_SUBNET,
        "conntrack": {"maxPerCore": 0, "min": 0},
        "hostnameOverride": NODE_NAME,
        "mode": "nftables",
    }


def _cni(root: Path) -> object:
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


def _containerd(root: Path) -> str:
    return f"""version = 2
root = "{root}/containerd"
state = "{RUN}/containerd"

[grpc]
  address = "{CONTAINERD_SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  enable_unprivileged_ports = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{_cni_bin()}"
    conf_dir = "{root}/config/cni"
"""


def _cni_bin() -> Path:
    """Returns their folder.

    Debian keeps the CNI plugins in /usr/lib/cni, most other systems in /opt/cni/bin.
    """
    for folder in ("/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"):
        if Path(folder, "ptp").exists():
            return Path(folder)
    raise Failure("The CNI plugins are missing; install containernetworking-plugins and run again.")


def _buildkit(root: Path) -> str:
    return f"""root = "{root}/buildkit"
[grpc]
  address = ["unix://{BUILDKIT_SOCKET}"]
[worker.oci]
  enabled = false
[worker.containerd]
  enabled = true
  address = "{CONTAINERD_SOCKET}"
  namespace = "k8s.io"
  networkMode = "host"
"""


def _supervisor(root: Path, bin_dir: Path, *, enforce: bool) -> None:
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
            f"--hostname-override={NODE_NAME}",
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
            f"--hostname-override={NODE_NAME}",
            f"--node-ip={network.NODE_ADDRESS}",
        ],
        "kube-proxy": [f"{bin_dir}/kube-proxy", f"--config={config}/kube-proxy.yaml"],
        "volume-provisioner": [
            f"{bin_dir}/volume-provisioner",
            f"--kubeconfig={config}/admin.conf",
            f"--root={root}/volumes",
            f"--node={NODE_NAME}",
        ],
    }
    if not enforce:
        del programs["kube-router"]
    ini = configparser.RawConfigParser()
    ini["unix_http_server"] = {"file": str(SUPERVISOR_SOCKET), "chmod": "0700"}
    ini["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    ini["supervisorctl"] = {"serverurl": f"unix://{SUPERVISOR_SOCKET}"}
    ini["supervisord"] = {
        "nodaemon": "true",
        "user": "root",
        "logfile": str(root / "log" / "supervisord.log"),
        "pidfile": str(RUN / "supervisord.pid"),
        "environment": f'PATH="{bin_dir}:{os.pathsep.join(_NODE_BINARIES)}"',
    }
    for priority, (name, command) in enumerate(programs.items()):
        ini[f"program:{name}"] = {
            "command": " ".join(command),
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


def _start(root: Path) -> str:
    """Returns the first process: it gives Kubernetes' fixed paths to `root`, then supervises."""
    return f"""#!/bin/sh
set -eu
bind() {{ mkdir -p "$2"; mount --bind "$1" "$2"; }}
bind {root}/kubelet /var/lib/kubelet
bind {root}/containers /var/log/containers
mount -t tmpfs tmpfs /run/netns  # the pods' network namespaces end with this one
{cgroups.MOUNT}exec supervisord --configuration {root}/config/supervisord.conf
"""
