"""Where the pods with a volume have to run on clusters that do not see to it themselves."""

from collections.abc import Mapping
from typing import assert_never

from components.todo.settings.cluster import ClusterSettings

_PRIMARY = {"minikube.k8s.io/primary": "true"}
"""The label of Minikube's first node (pkg/minikube/bootstrapper/kubeadm/kubeadm.go of 1.38.1)."""


def volume_nodes(cluster: ClusterSettings) -> Mapping[str, str]:
    """Returns labels of the nodes that pods with a volume should prefer; empty: any will do.

    Minikube's provisioner makes a directory on the first node and does not say so in the volume: on
    another node a pod gets an empty one that only root can write. It is a preference, since other
    provisioners that Minikube may have (csi-hostpath-driver) tell the scheduler which node it is.
    """
    match cluster.provider:
        case "minikube":
            return _PRIMARY
        case "auto" | "kind" | "k3d" | "dockerDesktop" | "embedded" | "context":
            return {}
        case _:
            assert_never(cluster.provider)
