"""How an image gets into the nodes of a Minikube profile."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from console.failure import Failure
from toolchain import paths
from toolchain.providers import docker, docker_context, remote_builder, user_environment
from toolchain.providers.docker import Docker
from toolchain.providers.minikube_profile import Profile
from toolchain.providers.node_containers import Node

_BUILDKIT = "/run/buildkit/buildkitd.sock"


def builder(profile: Profile, containers: Sequence[Node], host: Docker) -> dict[str, str]:
    """Returns the builder of the stack's settings with which an image gets into every node.

    Args:
        profile: The profile.
        containers: Its nodes, where they are containers.
        host: This machine's Docker.

    Raises:
        Failure: It would have to be built in this machine's Docker, which does not answer; or
            Minikube does not tell how its own Docker is reached.
    """
    name = _builder_name(profile.name)
    single = profile.nodes == (profile.name,)
    inner = single and profile.runtime == "docker"
    buildkit = single and profile.runtime == "containerd" and profile.driver == "docker"
    buildkit = buildkit and bool(containers) and _has_buildkit(profile.name)
    # A profile that was made anew may have another runtime; buildx prefers a builder to a context
    # of its name.
    if not buildkit:
        remote_builder.remove(name, _endpoint(profile.name))
    if not inner or profile.driver == "none":
        docker_context.remove(docker_context.called(profile.name))
    if inner and profile.driver != "none":
        return {"name": _inner_docker(profile.name), "exporter": "docker"}
    if buildkit:
        remote_builder.write(name, _endpoint(profile.name))
        return {"name": name, "exporter": "image-store"}
    host = docker.answering(host, f"Bringing images into Minikube profile {profile.name}")
    # Without a driver, the node is this machine, and its Docker the person's.
    return {"name": host.context, "exporter": "docker" if inner else "archive"}


def forget(profile: str) -> None:
    """Removes what this clone has written down of the profile's builders."""
    docker_context.remove(docker_context.called(profile))
    remote_builder.remove(_builder_name(profile), _endpoint(profile))


def _builder_name(profile: str) -> str:
    return f"todo-{profile}"


def _endpoint(profile: str) -> str:
    return f"docker-container://{profile}"


def _has_buildkit(container: str) -> bool:
    """Returns whether the node's own BuildKit listens.

    Its images are the kubelet's (kicbase's buildkitd.toml).
    """
    return user_environment.ask(["docker", "exec", container, "test", "-S", _BUILDKIT]).code == 0


def _inner_docker(profile: str) -> str:
    """Returns a docker context for the node's Docker.

    Made anew only when the old one does not lead to this node.

    `docker-env` reloads a daemon that it cannot talk to, and the port changes at each start: the
    context that is there is tried first, and so that no other profile's node on that port (all have
    one certificate authority) is taken for this one, the daemon has to say the node's name.

    Returns:
        The context's name.

    Raises:
        Failure: The node's Docker cannot be reached.
    """
    docker_context.mirror()
    name = docker_context.called(profile)
    if docker_context.exists(name) and _answers(name, profile) is None:
        return name
    command = ["minikube", "docker-env", "--profile", profile, "--shell", "none"]
    answer = user_environment.ask([*command, "--output", "json"])
    told = answer.object() if answer.code == 0 else {}
    host, certificates = str(told.get("DOCKER_HOST", "")), str(told.get("DOCKER_CERT_PATH", ""))
    if not certificates or not Path(certificates, "cert.pem").exists():
        why = answer.reason if answer.code else "it names no certificates"
    else:
        docker_context.write(name, host, Path(certificates))
        why = _answers(name, profile)
        if why is None:
            return name
    raise Failure(
        f"The Docker of Minikube profile {profile} cannot be reached ({why[:200]}), so no image "
        f"can be built in it; run `minikube stop --profile {profile}` and `make up` again."
    )


def _answers(context: str, profile: str) -> str | None:
    """Returns why a context does not lead to the profile's node; None: it does."""
    inner = docker.ask(context, more={"DOCKER_CONFIG": str(paths.DOCKER_CONFIG)})
    if inner is None or inner.silence is not None:
        return inner.silence if inner and inner.silence else "the docker command does not tell"
    return None if inner.host == profile else f"{inner.host} answers in its place"
