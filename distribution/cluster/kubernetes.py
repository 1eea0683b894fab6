"""Configuration of kubeadm, kubelet and kube-proxy, and the certificates, which kubeadm makes."""

from __future__ import annotations

from pathlib import Path

from components.todo.names import LOADED_IMAGES
from console.failure import Failure
from distribution.cluster import network, places
from distribution.recipes import KUBERNETES
from toolchain import ui, whole_file

_CLIENTS = {"kube-proxy": "system:kube-proxy", "kube-router": "kube-router"}


def kubeadm_documents(root: Path) -> tuple[object, ...]:
    """Returns what kubeadm is told of the cluster."""
    address = network.NODE_ADDRESS
    return (
        {
            "apiVersion": "kubeadm.k8s.io/v1beta4",
            "kind": "InitConfiguration",
            "localAPIEndpoint": {"advertiseAddress": address, "bindPort": 6443},
            "nodeRegistration": {
                "name": places.NODE_NAME,
                "criSocket": f"unix://{places.CONTAINERD_SOCKET}",
            },
        },
        {
            "apiVersion": "kubeadm.k8s.io/v1beta4",
            "kind": "ClusterConfiguration",
            "clusterName": places.NODE_NAME,
            "kubernetesVersion": KUBERNETES,
            "certificatesDir": str(root / "pki"),
            "controlPlaneEndpoint": f"{address}:6443",
            "networking": {
                "podSubnet": network.POD_SUBNET,
                "serviceSubnet": network.SERVICE_SUBNET,
            },
            "dns": {"imageRepository": LOADED_IMAGES, "imageTag": places.COREDNS_TAG},
            "etcd": {"local": {"serverCertSANs": ["127.0.0.1"]}},
        },
    )


def certificates(root: Path, bin_dir: Path) -> None:
    """Makes certificates and kubeconfigs where there are none.

    Raises:
        Failure: kubeadm could not make them.
    """
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
        whole_file.replace(target, kubeconfig, private=True)


def kubelet(root: Path) -> object:
    """Returns the kubelet's configuration."""
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
        "containerRuntimeEndpoint": f"unix://{places.CONTAINERD_SOCKET}",
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


def kube_proxy(root: Path) -> object:
    """Returns kube-proxy's configuration."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(root / "config" / "kube-proxy.conf")},
        "clusterCIDR": network.POD_SUBNET,
        "conntrack": {"maxPerCore": 0, "min": 0},
        "hostnameOverride": places.NODE_NAME,
        "mode": "nftables",
    }
