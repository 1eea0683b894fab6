"""Makes a stack's cluster available and writes down what the stack needs to know of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from toolchain import environment, paths, ui
from toolchain.cluster import node
from toolchain.providers.choice import Choice, choose, provider, remembered_by
from toolchain.providers.provider import Provider
from toolchain.stack import Stack

_NODE_PORTS = {"frontend": 30000, "backend": 30001}
"""As ``components/settings.py`` has them by default."""
_IDENTITY = ("provider", "name", "context")
"""What tells a stack's cluster from others."""


def chosen(stack: Stack) -> Choice | None:
    """Choose the stack's cluster and find out early, before anything is built, that it cannot be had.

    Returns:
        None: it is the context that the settings or the kubeconfig name.

    Raises:
        Failure: The stack's context does not answer, or this machine can run no cluster.
    """
    cluster = stack.settings().get("cluster") or {}
    remembered = _remembered(stack)
    choice = choose(cluster, remembered)
    if choice is None:
        _check_context(stack.name, cluster)
        return None
    if choice.provider.key == "embedded":
        node.check()
    elif not choice.provider.installed():
        raise ui.Failure(
            f"The settings want {choice.called} (cluster.provider), but its tool is not installed here; install it, or "
            f"choose another cluster.provider in {stack.file.name}; nothing was changed."
        )
    if remembered_by(remembered) != (choice.provider, choice.name):
        ui.say(
            f"  cluster: {choice.called}, because {choice.why}; cluster.provider and cluster.name in "
            f"{stack.file.name} choose another"
        )
    return choice


def prepare(stack: Stack, choice: Choice | None) -> None:
    """Start the stack's cluster, or make it; what is found out fills what the stack file leaves open.

    Raises:
        Failure: It cannot be had; the sentence says what to do.
    """
    if choice is None:
        paths.machine_settings(stack.name).unlink(missing_ok=True)
        return
    settings = stack.settings()
    ports = _node_ports(settings)
    new = remembered_by(_remembered(stack)) != (choice.provider, choice.name)
    choice.provider.start(choice.name, ports)
    if not choice.exists:
        _remember_made(choice)
    found = choice.provider.found(choice.name, ports)
    open_ = left_open(found, settings)
    _write(stack.name, open_ | {"cluster": _identity(found, settings) | open_.get("cluster", {})})
    if new:
        ui.say(f"  {choice.provider.policies(choice.name)}")


def left_open(found: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """What was found out, without what the stack file says itself.

    A block of another ``mode`` and a ``builder`` are choices as a whole: nothing is mixed into them. ``auto`` asks
    for what is found out.

    Args:
        found: What `make up` found out.
        given: The stack's ``todo:settings``, or a block of it.
    """
    if "mode" in found and given.get("mode", found["mode"]) != found["mode"]:
        return {}
    result: dict[str, Any] = {}
    for key, value in found.items():
        block = given.get(key)
        if block in (None, "auto") or key == "mode":
            result[key] = value
        elif isinstance(block, dict) and isinstance(value, dict) and key != "builder":
            result[key] = left_open(value, block)
    return {key: value for key, value in result.items() if value != {}}


def _identity(found: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Which cluster it is, whether the stack file says it or not: stopping and removing go by it."""
    given = settings.get("cluster") or {}
    named = {key: given.get(key) for key in _IDENTITY}
    chosen = {key: value for key, value in named.items() if value not in (None, "auto")}
    return {key: it for key, it in found["cluster"].items() if key in _IDENTITY} | chosen


def where(stack: Stack) -> tuple[Provider, str]:
    """The local cluster that the stack is in: its tool and name; the embedded one where nothing is known."""
    return remembered_by(_remembered(stack)) or (provider("embedded"), "embedded")


def stop(stack: Stack) -> str:
    """Stop the stack's local cluster; its data stays.

    Returns:
        What was stopped, in words.

    Raises:
        Failure: There is none on this machine, or it does not stop.
    """
    tool, name = where(stack)
    called = Choice(provider=tool, name=name, exists=True, why="").called
    if not any(it.name == name for it in tool.clusters()):
        raise ui.Failure(f"There is no {called} that could be stopped; nothing was changed.")
    tool.stop(name)
    return called


def made_here(tool: Provider, name: str) -> bool:
    """Whether `make up` made a cluster, which is then its own to remove."""
    return tool.key == "embedded" or [tool.key, name] in _made()


def remove(tool: Provider, name: str) -> None:
    """Remove a local cluster with all that is in it, and what was written down of it for any stack.

    Raises:
        Failure: It does not go.
    """
    tool.delete(name)
    for file in paths.LOCAL.glob("settings.*.json"):
        stack = Stack(file.name.split(".")[1], has_file=False)
        if remembered_by(_remembered(stack)) == (tool, name):
            file.unlink()
    _write_made([it for it in _made() if it != [tool.key, name]])


def delete() -> None:
    """Remove the embedded cluster."""
    remove(provider("embedded"), "embedded")


def _remembered(stack: Stack) -> dict[str, Any]:
    """The ``cluster`` that was found out for the stack, as this version writes it."""
    found = environment.found_out(stack.name)
    cluster = dict(found.get("cluster") or {})
    if "provider" not in cluster:
        # An earlier version knew two kinds of clusters, and did not write down which.
        if cluster.get("kubeconfig") == str(node.kubeconfig()):
            cluster["provider"] = "embedded"
        elif "kubeconfig" not in cluster and cluster.get("context"):
            cluster |= {"provider": "minikube", "name": cluster["context"]}
    return cluster


def _made() -> list[list[str]]:
    """Tool and name of each cluster that `make up` has made on this machine, the embedded one apart."""
    try:
        return json.loads(_made_file().read_text())
    except (OSError, ValueError):
        return []


def _remember_made(choice: Choice) -> None:
    entry = [choice.provider.key, choice.name]
    if choice.provider.key != "embedded" and entry not in _made():
        _write_made([*_made(), entry])


def _write_made(entries: list[list[str]]) -> None:
    if entries or _made_file().exists():
        paths.LOCAL.mkdir(exist_ok=True)
        _made_file().write_text(json.dumps(entries) + "\n")


def _made_file() -> Path:
    return paths.LOCAL / "clusters.json"


def _node_ports(settings: dict[str, Any]) -> list[int]:
    """The NodePorts of the application, which a new cluster should answer on."""
    ports: list[int] = []
    for part, usual in _NODE_PORTS.items():
        exposure = (settings.get(part) or {}).get("exposure") or {"mode": "nodePort"}
        port = exposure.get("port", usual)
        if exposure.get("mode") == "nodePort" and str(port).isdecimal():
            ports.append(int(port))
    return ports


def _check_context(stack: str, cluster: dict[str, Any]) -> None:
    context = cluster.get("context")
    command = ["kubectl", "--request-timeout=10s"] + (
        ["--context", str(context)] if context else []
    )
    if cluster.get("kubeconfig"):
        command += ["--kubeconfig", str(cluster["kubeconfig"])]
    if ui.capture(["kubectl", "version", "--client"], env=environment.complete(stack)) is None:
        return
    if ui.capture([*command, "get", "--raw=/readyz"], env=environment.complete(stack)) is None:
        raise ui.Failure(
            f"The cluster of kube context {context or '(current)'} does not answer; start it, or correct cluster.context "
            "in the stack's todo:settings; nothing was changed."
        )


def _write(stack: str, found: dict[str, Any]) -> None:
    file = paths.machine_settings(stack)
    text = json.dumps(found, indent=2) + "\n"
    if not file.exists() or file.read_text() != text:
        paths.LOCAL.mkdir(exist_ok=True)
        partial = file.with_suffix(".partial")
        partial.write_text(text)
        partial.replace(file)
    # One file for all stacks, as it was before: nothing reads it any more.
    (paths.LOCAL / "settings.json").unlink(missing_ok=True)
