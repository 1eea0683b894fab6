"""Where pods find the Kubernetes API, for the NetworkPolicies of those that ask it."""

from collections.abc import Sequence

from .policies import Peer, anywhere

API_SERVER: Sequence[tuple[Peer, int]] = anywhere(443, 6443, 8443, 16443)
"""Every address: the API server is no pod, and where it listens is the cluster's own affair. The
ports are those of managed clusters, kubeadm's, Minikube's and MicroK8s'."""
