"""Makes a stack's cluster available and writes down what the stack needs to know of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cluster_objects.json_tree import Json, part
from components.todo.names import NODE_PORTS
from console.failure import Failure
from distribution.cluster import node
from toolchain import environment, findings, missing, paths, ui, whole_file
from toolchain.kubectl import Kubectl, KubectlError, is_installed
from toolchain.providers import docker
from toolchain.providers.choice import (
    IN_DOCKER,
    PROVIDERS,
    Choice,
    called,
    choose,
    provider,
    remembered_by,
)
from toolchain.providers.embedded import Embedded
from toolchain.providers.provider import Provider
from toolchain.stack import Stack


def chosen(stack: Stack) -> Choice | None:
    """Chooses the stack's cluster, and fails before anything is built where it cannot be had.

    Returns:
        None: it is the context that the settings or the kubeconfig name.

    Raises:
        Failure: The stack's context does not answer, or this machine can run no cluster.
    """
    cluster = part(stack.settings(), "cluster")
    remembered = findings.remembered(stack.name)
    choice = choose(cluster, remembered)
    if choice is None:
        _check_context(stack.name, cluster)
        return None
    match choice.provider.key:
        case "embedded":
            node.check()
        case "minikube" | "kind" | "k3d" as tool if not choice.provider.installed():
            raise missing.failure(tool, f"{choice.called} ({choice.why})")
        case _:
            pass  # Docker Desktop says itself how it is switched on
    if is_new(stack, choice):
        ui.say(
            f"  cluster: {choice.called}, because {choice.why}; cluster.provider and cluster.name "
            f"in {stack.file.name} choose another"
        )
    return choice


def prepare(stack: Stack, choice: Choice | None) -> bool:
    """Starts the stack's cluster, or makes it.

    What is found out fills what the stack file leaves open.

    Returns:
        Whether that is something else than before.

    Raises:
        Failure: It cannot be had; the sentence says what to do.
    """
    if choice is None:
        return findings.forget(stack.name)
    settings = stack.settings()
    new = is_new(stack, choice)
    ports = _node_ports(settings)
    _start(choice, ports)
    found = choice.provider.found(choice.name, ports)
    if isinstance(choice.provider, Embedded) and _has_exporter(settings):
        choice.provider.add_exporter(found)
    if isinstance(choice.provider, Embedded) and _backs_up_to_a_store(settings):
        choice.provider.add_restic(found)
    if isinstance(choice.provider, Embedded) and _has_operator(settings):
        choice.provider.use_operators_image(found)
    changed = findings.write(stack.name, findings.told(found, settings))
    if new:
        ui.say(f"  {choice.provider.policies(choice.name)}")
    return changed


def _has_exporter(settings: Json) -> bool:
    """Returns whether the database's metrics are to be read by something beside it."""
    return part(settings, "database").get("exporter") is not None


def _backs_up_to_a_store(settings: Json) -> bool:
    """Returns whether the database's backups go to an object store."""
    return part(settings, "database", "backup", "destination").get("mode") == "s3"


def _has_operator(settings: Json) -> bool:
    """Returns whether an operator runs the database, whose image is another than PostgreSQL's."""
    return part(settings, "database").get("mode") == "operator"


def start(stack: Stack, choice: Choice) -> None:
    """Starts a cluster, or makes it; what the stack is told of its cluster stays as it is.

    Raises:
        Failure: It cannot be had; the sentence says what to do.
    """
    _start(choice, _node_ports(stack.settings()))


def is_new(stack: Stack, choice: Choice) -> bool:
    """Returns whether the stack has not been in a cluster yet."""
    return remembered_by(findings.remembered(stack.name)) != (choice.provider, choice.name)


def moves(stack: Stack, choice: Choice) -> bool:
    """Returns whether a choice is another cluster than the one that the stack is in."""
    before = remembered_by(findings.remembered(stack.name))
    return before is not None and before != (choice.provider, choice.name)


def where(stack: Stack) -> tuple[Provider, str]:
    """Returns tool and name of the cluster a stack is in, its settings name, or `make up` made.

    Raises:
        Failure: The settings name another cluster than one of this machine's tools.
    """
    if known := remembered_by(findings.remembered(stack.name)):
        return known
    given = part(stack.settings(), "cluster")
    if named := next((it for it in PROVIDERS if it.key == given.get("provider")), None):
        return named, str(given.get("name") or named.usual)
    made = [(provider(key), name) for key, name in _made()]
    if wanted := given.get("name"):
        if found := next((it for it in made if it[1] == str(wanted)), None):
            return found
        raise _in_no_local(stack, f"cluster.name is {wanted}, which `make up` has not made")
    if context := given.get("context"):
        names = [(it, it.named_by(str(context))) for it in PROVIDERS]
        if found := next(((it, name) for it, name in names if name is not None), None):
            return found
        raise _in_no_local(stack, f"cluster.context is {context}")
    for key, usual in (("kind", "local"), ("provider", "auto"), ("kubeconfig", None)):
        if given.get(key, usual) != usual:
            raise _in_no_local(stack, f"cluster.{key} is {given[key]}")
    return made[-1] if made and not node.exists() else (provider("embedded"), "embedded")


def _in_no_local(stack: Stack, said: str) -> Failure:
    return Failure(
        f"Stack {stack.name} is in no local cluster ({said} in {stack.shown}), so none is stopped "
        "or removed for it; name a stack that is in one with STACK=NAME; nothing was changed."
    )


def stop(stack: Stack) -> str:
    """Stops the stack's local cluster; its data stays.

    Returns:
        What was stopped, in words.

    Raises:
        Failure: The stack is in none of this machine's, or it does not stop.
    """
    tool, name = where(stack)
    if not exists(tool, name):
        raise Failure(
            f"There is no {called(tool, name)} that could be stopped, and stack {stack.name} is in "
            "no other local cluster: name one by cluster.provider and cluster.name in its "
            "todo:settings, or stop it with its own tool; nothing was changed."
        )
    tool.stop(name)
    return called(tool, name)


def exists(tool: Provider, name: str) -> bool:
    """Returns whether there is a cluster, running or stopped.

    Raises:
        Failure: Docker, which has it if it is there, does not answer.
    """
    there = any(it.name == name for it in tool.clusters())
    if not there and tool.key in IN_DOCKER:
        docker.running(f"{tool.title} {name}")
    return there


def made_here(tool: Provider, name: str) -> bool:
    """Returns whether `make up` made a cluster, which is then its own to remove."""
    return tool.key == "embedded" or [tool.key, name] in _made()


def remove(tool: Provider, name: str) -> None:
    """Removes a local cluster with all in it, and what was written down of it for any stack.

    Raises:
        Failure: It does not go.
    """
    tool.delete(name)
    for file in paths.LOCAL.glob("settings.*.json"):
        stack = file.name.removeprefix("settings.").removesuffix(".json")
        if remembered_by(findings.remembered(stack)) == (tool, name):
            file.unlink()
    _forget_made(tool, name)


def delete() -> None:
    """Removes the embedded cluster."""
    remove(provider("embedded"), "embedded")


def _start(choice: Choice, ports: list[int]) -> None:
    """Starts a cluster, or makes it; what is half made by an interruption is our own to remove."""
    tool, name = choice.provider, choice.name
    if not choice.exists:
        _remember_made(choice)
    try:
        tool.start(name, ports)
    except BaseException:
        if not choice.exists and not any(it.name == name for it in tool.clusters()):
            _forget_made(tool, name)
        raise


def _made() -> list[list[str]]:
    """Returns tool and name of each cluster that `make up` has made, but for the embedded one."""
    try:
        return json.loads(_made_file().read_text())
    except (OSError, ValueError):
        return []


def _remember_made(choice: Choice) -> None:
    entry = [choice.provider.key, choice.name]
    if choice.provider.key != "embedded" and entry not in _made():
        _write_made([*_made(), entry])


def _forget_made(tool: Provider, name: str) -> None:
    _write_made([it for it in _made() if it != [tool.key, name]])


def _write_made(entries: list[list[str]]) -> None:
    if entries or _made_file().exists():
        paths.LOCAL.mkdir(exist_ok=True)
        whole_file.replace(_made_file(), json.dumps(entries) + "\n")


def _made_file() -> Path:
    return paths.LOCAL / "clusters.json"


def _node_ports(settings: dict[str, Any]) -> list[int]:
    """Returns the NodePorts of the application, which a new cluster should answer on."""
    ports: list[int] = []
    for service, usual in NODE_PORTS.items():
        exposure = part(settings, service, "exposure") or {"mode": "nodePort"}
        port = exposure.get("port", usual)
        if exposure.get("mode") == "nodePort" and str(port).isdecimal():
            ports.append(int(port))
    return ports


def _check_context(stack: str, cluster: dict[str, Any]) -> None:
    kubeconfig, context = cluster.get("kubeconfig"), cluster.get("context")
    env = environment.complete(stack)
    if not is_installed(env):
        return
    try:
        Kubectl(kubeconfig, context, env)("--request-timeout=10s", "get", "--raw=/readyz")
    except KubectlError:
        raise Failure(
            f"The cluster of kube context {context or '(current)'} does not answer; start it, or "
            "correct cluster.context in the stack's todo:settings; nothing was changed."
        ) from None
