"""What Minikube tells of its profiles, written down and now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cluster_objects.json_tree import part, parts
from toolchain.providers import user_environment

_CONTAINERS = {"docker", "podman"}
_USUAL_PODS = "10.244.0.0/16"
"""Minikube's own for every network plugin (its pkg/minikube/cni/cni.go, DefaultPodCIDR)."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What Minikube has written down of a profile."""

    name: str
    driver: str
    runtime: str
    nodes: tuple[str, ...]
    """Names of the nodes' machines, the first control plane's first."""
    address: str
    """Of the first node; Minikube writes it anew at each start (`minikube ip` prints the same)."""
    network: str
    pods: str
    """The pods' addresses: what is open to the outside stays closed to other namespaces."""

    @property
    def in_containers(self) -> bool:
        """Whether its nodes are containers, and not machines or this machine itself."""
        return self.driver in _CONTAINERS


@dataclass(frozen=True, kw_only=True)
class Status:
    """What Minikube says of a profile now."""

    running: bool
    """Whether the API server answers, and every node runs."""
    kubeconfig: bool
    """Whether the kubeconfig that Minikube writes to has the API server's address of now."""


def listed(*flags: str) -> list[dict[str, Any]]:
    """Returns the profiles as Minikube lists them; none where it cannot tell.

    Args:
        flags: `--light` leaves out whether they run, for which Minikube logs into each.
    """
    command = ["minikube", "profile", "list", "--output", "json", *flags]
    return parts(user_environment.ask(command).object(), "valid")


def read(name: str) -> Profile | None:
    """Returns what is written down of a profile; None: there is none of this name."""
    for it in listed("--light"):
        if it.get("Name") == name:
            config = part(it, "Config")
            kubernetes = part(config, "KubernetesConfig")
            nodes = parts(config, "Nodes") or [{}]
            options = parts(kubernetes, "ExtraOptions")
            # The first machine is called after the profile, the others minikube-m02, … (its
            # config.MachineName).
            others = (f"{name}-{node.get('Name')}" for node in nodes[1:])
            return Profile(
                name=name,
                driver=str(config.get("Driver") or ""),
                # Minikube's own default while it has been writing this file; 1.39 writes
                # "containerd" itself.
                runtime=str(kubernetes.get("ContainerRuntime") or "docker"),
                nodes=(name, *others),
                address=str(nodes[0].get("IP") or ""),
                network=str(config.get("Network") or ""),
                pods=next((it for it in map(_pod_cidr, options) if it), _USUAL_PODS),
            )
    return None


def _pod_cidr(option: dict[str, Any]) -> str | None:
    """Returns the pods' addresses, if that is what an `--extra-config` says."""
    named = (option.get("Component"), option.get("Key")) == ("kubeadm", "pod-network-cidr")
    return str(option.get("Value")) if named else None


def status(name: str) -> Status:
    """Asks for the nodes: one is an object, several are a list, none is `null`."""
    answer = user_environment.ask(["minikube", "status", "--profile", name, "--output", "json"])
    # With a profile that does not exist, the documents are events, not nodes.
    nodes = [it for it in answer.objects() if "Host" in it]
    first = nodes[0] if nodes else {}
    return Status(
        running=first.get("APIServer") == "Running"
        and all(it.get("Host") == "Running" for it in nodes),
        kubeconfig=first.get("Kubeconfig") == "Configured",
    )
