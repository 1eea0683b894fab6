"""Minikube: its profiles are the clusters."""

from __future__ import annotations

import ipaddress
import shutil
from collections.abc import Sequence
from typing import Any

from components.todo.names import CLUSTER_NAMES
from console.failure import Failure
from toolchain import missing, paths, ui
from toolchain.providers import (
    docker,
    kubeconfig,
    minikube_images,
    minikube_profile,
    node_containers,
    policies,
    tool,
    user_environment,
)
from toolchain.providers.docker import Docker
from toolchain.providers.minikube_profile import Profile, Status
from toolchain.providers.node_containers import Node
from toolchain.providers.provider import Cluster

_RUNNING = {"Running", "OK", "HAppy", "Degraded", "Warning"}
"""What `profile list` calls a running cluster.

Up to 1.35 an API server's state, later a name for a code of 200.
"""


class Minikube:
    """Profiles of an installed Minikube."""

    key = "minikube"
    title = "Minikube profile"
    usual = CLUSTER_NAMES["minikube"]

    def __init__(self) -> None:
        """Asks nothing yet."""
        # What `start` has just asked of a running profile, so that `found` need not ask again.
        self._asked: dict[str, tuple[Docker, Status]] = {}

    def installed(self) -> bool:
        """Returns whether the `minikube` command is on PATH."""
        return shutil.which("minikube") is not None

    def clusters(self) -> list[Cluster]:
        """Returns the profiles; one command."""
        return [
            Cluster(name=str(it.get("Name")), running=it.get("Status") in _RUNNING)
            for it in minikube_profile.listed()
        ]

    def named_by(self, context: str) -> str | None:
        """Returns the profile, as a profile's context is called like it."""
        if not self.installed():
            return None
        return next(
            (context for it in minikube_profile.listed("--light") if it.get("Name") == context),
            None,
        )

    def start(self, name: str, ports: Sequence[int]) -> None:
        """Starts a profile that is stopped, and makes it where there is none.

        What building needs is looked for before anything is started.

        Raises:
            Failure: Minikube or something of Docker is missing, or Minikube cannot start.
        """
        what = f"{self.title} {name}"
        if not self.installed():
            raise missing.failure("minikube", what)
        found = docker.with_buildx(what)
        status = minikube_profile.status(name)
        if status.running:
            self._asked[name] = (found, status)
            return
        profile = minikube_profile.read(name)
        if profile and profile.driver == "docker":
            docker.answering(found, what)
        command = ["minikube", "start", "--profile", name]
        if profile is None:
            command += ["--cni", "calico"]
            # Without effect where the driver makes a virtual machine, whose address is reached from
            # here.
            mapped = [f"{docker.LOOPBACK}:{port}:{port}" for port in docker.free(ports)]
            command += ["--ports", ",".join(mapped)] if mapped else []
        with ui.step(f"Minikube profile {name}"), kubeconfig.current_kept():
            tool.run(
                command,
                log=paths.LOCAL / "log" / "minikube.log",
                what=f"{'starting' if profile else 'making'} Minikube profile {name}",
                hint="start its driver (Docker, usually) and run `make up` again",
                remove=f"minikube delete --profile {name}",
            )

    def found(self, name: str, ports: Sequence[int]) -> dict[str, Any]:
        """Returns context, node address and builder of a running profile.

        Raises:
            Failure: There is no such profile any more, or no image that is built here would reach
                every node.
        """
        profile = minikube_profile.read(name)
        if profile is None:
            raise Failure(
                f"Minikube does not know the profile {name}; `minikube profile list` shows those "
                "it has; correct cluster.name in the stack's todo:settings."
            )
        host, status = self._asked.pop(name, None) or (
            docker.with_buildx(f"{self.title} {name}"),
            minikube_profile.status(name),
        )
        containers = _containers(profile)
        cluster: dict[str, Any] = {"provider": self.key, "name": name, "context": name}
        cluster |= _kubeconfig(name, status)
        if address := _address(profile, containers, ports, host):
            cluster["nodeAddress"] = address
        cluster["podCidr"] = profile.pods
        return {
            "cluster": cluster,
            "images": {
                "mode": "load",
                "builder": minikube_images.builder(profile, containers, host),
            },
        }

    def policies(self, name: str) -> str:
        """Asks the cluster, as a network plugin can be put into it at any time."""
        return policies.line(kubeconfig.flags(self.key, name, name))

    def stop(self, name: str) -> None:
        """Stops the profile; its data stays.

        Raises:
            Failure: Minikube cannot stop it.
        """
        _run("stop", name, "stopping")

    def delete(self, name: str) -> None:
        """Removes the profile, and what this clone has written down of it.

        Raises:
            Failure: Minikube cannot remove it.
        """
        _run("delete", name, "removing")
        minikube_images.forget(name)
        kubeconfig.path(self.key, name).unlink(missing_ok=True)


def _run(word: str, name: str, what: str) -> None:
    tool.run(
        ["minikube", word, "--profile", name],
        log=paths.LOCAL / "log" / "minikube.log",
        what=f"{what} Minikube profile {name}",
    )


def _kubeconfig(name: str, status: Status) -> dict[str, str]:
    """Returns a kubeconfig of this clone's, where the person's lacks the context or its address.

    Raises:
        Failure: Minikube does not write one.
    """
    file = kubeconfig.path("minikube", name)
    if status.kubeconfig and kubeconfig.cluster_name(name) == name:
        file.unlink(missing_ok=True)
        return {}
    paths.LOCAL.mkdir(exist_ok=True)
    answer = user_environment.ask(
        ["minikube", "update-context", "--profile", name], more={"KUBECONFIG": str(file)}
    )
    if answer.code or not file.exists():
        raise Failure(
            f"Your kubeconfig has no context {name} that leads to Minikube profile {name}, and "
            f"Minikube writes none ({answer.reason}); run `minikube update-context --profile "
            f"{name}` and run again."
        )
    file.chmod(0o600)
    return {"kubeconfig": str(file)}


def _containers(profile: Profile) -> list[Node]:
    """Returns the profile's nodes where they are containers, the first control plane first."""
    if not profile.in_containers:
        return []
    return node_containers.nodes(profile.nodes, cli=profile.driver)


def _address(
    profile: Profile, containers: Sequence[Node], ports: Sequence[int], host: Docker
) -> str | None:
    if profile.in_containers:
        return node_containers.reach(containers, ports, host)
    if profile.driver.startswith("qemu") and profile.network in {"builtin", "user"}:
        return None  # QEMU's own network leads out only
    return profile.address if _is_address(profile.address) else None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
