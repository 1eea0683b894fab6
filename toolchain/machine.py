"""Chooses this machine's cluster for a stack and writes down what the stack needs to know of it."""

from __future__ import annotations

import json
from typing import Any

from toolchain import environment, minikube, paths, tools, ui
from toolchain.cluster import config, images, network, node
from toolchain.stack import Stack


def check(stack: Stack) -> None:
    """Find out early, before anything is built, that no cluster can be had.

    Raises:
        Failure: The stack's context does not answer, or the embedded cluster is needed and this is not root on Linux.
    """
    cluster = stack.settings().get("cluster") or {}
    if _is_given(cluster):
        _check_context(stack.name, cluster)
    elif node.exists() or not minikube.installed():
        node.check()


def prepare(stack: Stack) -> None:
    """Make a cluster available: the stack's own context, else Minikube, else the embedded one.

    What is found out fills what the stack file leaves open; what the file says is not looked for.

    Raises:
        Failure: No cluster can be had; the sentence says what to do.
    """
    settings = stack.settings()
    cluster = settings.get("cluster") or {}
    if _is_given(cluster):
        paths.machine_settings(stack.name).unlink(missing_ok=True)
        return
    if not node.exists() and minikube.installed():
        with ui.step("Minikube"):
            found = minikube.start(str(cluster.get("profile") or "minikube"))
        _write(stack.name, left_open(found, settings))
        return
    with ui.step("Cluster tools"):
        tools.ensure_cluster_binaries()
    with ui.step("Embedded cluster"):
        node.start(paths.BIN)
    found: dict[str, Any] = {
        "cluster": {
            "kubeconfig": str(node.kubeconfig()),
            "context": node.CONTEXT,
            "nodeAddress": network.NODE_ADDRESS,
            "podCidr": network.POD_SUBNET,
        },
        "images": {
            "mode": "load",
            "builder": {"name": environment.BUILDER, "exporter": "image-store"},
        },
    }
    if _needs_stand_ins(stack.name):
        with ui.step("Base images"):
            base = images.ensure_base(paths.BIN)
        found["images"]["baseImages"] = {"python": base["python"], "node": base["node"]}
        if (settings.get("database") or {}).get("mode", "inCluster") == "inCluster":
            found["database"] = {"mode": "inCluster", "image": base["postgres"]}
    found = left_open(found, settings)
    if found.get("images", {}).get("builder"):
        _buildx_instance()
    _write(stack.name, found)


def left_open(found: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """What was found out, without what the stack file says itself.

    A block of another ``mode`` and a ``builder`` are choices as a whole: nothing is mixed into them.

    Args:
        found: What `make up` found out.
        given: The stack's ``todo:settings``, or a block of it.
    """
    if "mode" in found and given.get("mode", found["mode"]) != found["mode"]:
        return {}
    result: dict[str, Any] = {}
    for key, value in found.items():
        block = given.get(key)
        if block is None or key == "mode":
            result[key] = value
        elif isinstance(block, dict) and isinstance(value, dict) and key != "builder":
            result[key] = left_open(value, block)
    return {key: value for key, value in result.items() if value != {}}


def stop() -> None:
    """Stop the embedded cluster; its data stays."""
    node.stop()


def delete() -> None:
    """Remove the embedded cluster with its volumes, and what was written down of it for any stack."""
    kubeconfig = str(node.kubeconfig())
    node.delete()
    for file in paths.LOCAL.glob("settings.*.json"):
        if kubeconfig in file.read_text():
            file.unlink()


def _needs_stand_ins(stack: str) -> bool:
    """Stay with the stand-ins once they are in use: pods must not roll because a registry answers today."""
    if found := environment.found_out(stack):
        return "baseImages" in found.get("images", {})
    return not tools.registry_answers()


def _is_given(cluster: dict[str, Any]) -> bool:
    return cluster.get("kind", "local") != "local" or bool(cluster.get("context"))


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


def _buildx_instance() -> None:
    """A buildx builder of driver ``remote`` on the cluster's BuildKit."""
    folder = environment.buildx_config() / "instances"
    folder.mkdir(parents=True, exist_ok=True)
    endpoint = f"unix://{config.BUILDKIT_SOCKET}"
    instance = {
        "Name": environment.BUILDER,
        "Driver": "remote",
        "Nodes": [
            {
                "Name": f"{environment.BUILDER}0",
                "Endpoint": endpoint,
                "Platforms": None,
                "DriverOpts": None,
                "Flags": None,
                "Files": None,
            }
        ],
        "Dynamic": False,
    }
    (folder / environment.BUILDER).write_text(json.dumps(instance))


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
