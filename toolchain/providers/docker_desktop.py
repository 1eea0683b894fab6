"""Docker Desktop's own Kubernetes, which a person switches on in its settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cluster_objects.json_tree import part, parts
from console.failure import Failure
from toolchain.providers import docker, kubeconfig, policies, user_environment
from toolchain.providers.docker import Docker
from toolchain.providers.provider import Cluster

CONTEXT = "docker-desktop"
_KUBEADM = CONTEXT
"""Name of the one node that kubeadm makes; kind's are desktop-control-plane, desktop-worker, …"""
_CONTEXTS = ("desktop-linux", "default")
"""Docker contexts of its own, beside the one that the person is in."""
_SWITCH = "Settings > Kubernetes > Enable Kubernetes"


class DockerDesktop:
    """The one cluster that Docker Desktop has."""

    key = "dockerDesktop"
    title = "Docker Desktop cluster"
    usual = CONTEXT

    def installed(self) -> bool:
        """Returns whether its context is in the kubeconfig: Kubernetes is switched on."""
        return kubeconfig.cluster_name(CONTEXT) is not None

    def clusters(self) -> list[Cluster]:
        """Returns the cluster, if there is one: two commands, one where its context is missing."""
        if not self.installed():
            return []
        return [Cluster(name=CONTEXT, running=_ready())]

    def named_by(self, context: str) -> str | None:
        """Returns the context has one name everywhere."""
        return CONTEXT if context == CONTEXT else None

    def start(self, name: str, ports: Sequence[int]) -> None:
        """Finds it running: only Docker Desktop starts it, with everything else that runs there.

        Raises:
            Failure: It is switched off, or Docker Desktop is stopped.
        """
        del ports
        what = f"{self.title} {name}"
        if _ready():
            return
        host = docker.with_buildx(what)
        if host.silence is not None and _desktop(host) is None:
            docker.answering(host, what)
        if _desktop(host) is None:
            raise Failure(
                f"{what} belongs to Docker Desktop, but docker context {host.context} leads to "
                f"{host.system or 'another Docker'}; start Docker Desktop and run again; nothing "
                "was changed."
            )
        asked = ["docker", "desktop", "kubernetes", "status", "--format", "json"]
        state = str(user_environment.ask(asked).object().get("status") or "")
        if state in {"starting", "running"}:
            raise Failure(
                f"{what} is {state}, but its API server does not answer yet; wait until Docker "
                "Desktop shows Kubernetes in green, and run again; nothing was changed."
            )
        raise Failure(
            f"Docker Desktop's Kubernetes is switched off{f' ({state})' if state else ''}; switch "
            f"it on under {_SWITCH} and run again, or choose another tool in cluster.provider; "
            "nothing was changed."
        )

    def found(self, name: str, ports: Sequence[int]) -> dict[str, Any]:
        """Returns context, node address if there is one, and the Docker whose images nodes have.

        Raises:
            Failure: The nodes cannot get at the images that are built here.
        """
        del ports
        what = f"{self.title} {name}"
        host = docker.with_buildx(what)
        desktop = _desktop(host)
        if desktop is None:
            docker.answering(host, what)
            raise Failure(
                f"{what} takes images from Docker Desktop, but docker context {host.context} leads "
                f"to {host.system}; run `docker context use desktop-linux` and run again; nothing "
                "was changed."
            )
        cluster: dict[str, Any] = {"provider": self.key, "context": CONTEXT}
        if _nodes() == [_KUBEADM]:
            # Kubernetes uses the Docker that builds; its NodePorts are forwarded to this machine.
            cluster["nodeAddress"] = docker.LOOPBACK
        elif not desktop.image_store:
            # The nodes of kind have a containerd each, which asks Docker Desktop's image store
            # before any registry (/etc/containerd/certs.d/_default/hosts.toml in the node); the
            # classic store is not asked.
            raise Failure(
                f"{what} is of type kind, whose nodes see the images that are built here only with "
                "Docker Desktop's containerd image store; switch that on under Settings > General, "
                "or choose kubeadm under Settings > Kubernetes, and run again; nothing was changed."
            )
        builder = {"name": desktop.context, "exporter": "docker"}
        return {"cluster": cluster, "images": {"mode": "load", "builder": builder}}

    def policies(self, name: str) -> str:
        """Asks the cluster: of kubeadm nobody enforces them, of kind it is kindnet."""
        del name
        return policies.line(["--context", CONTEXT])

    def stop(self, name: str) -> None:
        """Refuses: it stops with Docker Desktop, and with everything else that runs there.

        Raises:
            Failure: Always.
        """
        raise Failure(
            f"{self.title} {name} stops with Docker Desktop and everything else in it; if that is "
            "meant, run `docker desktop stop`."
        )

    def delete(self, name: str) -> None:
        """Refuses: this clone did not make it, and cannot tell what else is in it.

        Raises:
            Failure: Always.
        """
        raise Failure(
            f"{self.title} {name} is Docker Desktop's; it is reset or switched off under Settings "
            "> Kubernetes."
        )


def _ready() -> bool:
    ready = ["kubectl", "--context", CONTEXT, "--request-timeout=5s", "get", "--raw=/readyz"]
    return user_environment.ask(ready).code == 0


def _nodes() -> list[str]:
    listed = ["kubectl", "--context", CONTEXT, "--request-timeout=15s", "get", "nodes"]
    items = parts(user_environment.ask([*listed, "--output=json"]).object(), "items")
    return [str(part(it, "metadata").get("name")) for it in items]


def _desktop(current: Docker) -> Docker | None:
    """Returns Docker Desktop, by the person's current docker context or by one of its own."""
    if current.is_desktop:
        return current
    for context in _CONTEXTS:
        if context != current.context:
            other = docker.ask(context)
            if other and other.is_desktop:
                return other
    return None
