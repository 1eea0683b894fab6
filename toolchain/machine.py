"""Chooses this machine's cluster for a local stack and writes down what the stack needs to know of it."""

from __future__ import annotations

import json
from typing import Any

from toolchain import environment, minikube, paths, tools, ui
from toolchain.cluster import config, images, network, node

_BUILDER = "todo"


def check(settings: dict[str, Any]) -> None:
    """Find out early, before anything is built, that no cluster can be had.

    Raises:
        Failure: The stack's context does not answer, or the embedded cluster is needed and this is not root on Linux.
    """
    cluster = settings.get("cluster") or {}
    if _is_given(cluster):
        _check_context(cluster)
    elif node.exists() or not minikube.installed():
        node.check()


def prepare(settings: dict[str, Any]) -> None:
    """Make a cluster available: the stack's own context, else Minikube, else the embedded one.

    Args:
        settings: The stack's ``todo:settings``.

    Raises:
        Failure: No cluster can be had; the sentence says what to do.
    """
    cluster = settings.get("cluster") or {}
    if _is_given(cluster):
        return
    if not node.exists() and minikube.installed():
        with ui.step("Minikube"):
            _write(minikube.start(str(cluster.get("profile") or "minikube")))
        return
    with ui.step("Cluster tools"):
        tools.ensure_cluster_binaries()
    with ui.step("Embedded cluster"):
        node.start(paths.BIN)
    overrides: dict[str, Any] = {
        "cluster": {
            "kubeconfig": str(node.kubeconfig()),
            "context": node.CONTEXT,
            "nodeAddress": network.NODE_ADDRESS,
            "podCidr": network.POD_SUBNET,
        },
        "images": {"mode": "load", "builder": {"name": _BUILDER, "exporter": "image-store"}},
    }
    if _needs_stand_ins():
        with ui.step("Base images"):
            base = images.ensure_base(paths.BIN)
        overrides["images"]["baseImages"] = {"python": base["python"], "node": base["node"]}
        if (settings.get("database") or {}).get("mode", "inCluster") == "inCluster":
            overrides["database"] = {"mode": "inCluster", "image": base["postgres"]}
    _buildx_instance()
    _write(overrides)


def stop() -> None:
    """Stop the embedded cluster; its data stays."""
    node.stop()


def delete() -> None:
    """Remove the embedded cluster with its volumes, and what was written down of it."""
    node.delete()
    paths.MACHINE_SETTINGS.unlink(missing_ok=True)


def _needs_stand_ins() -> bool:
    """Stay with the stand-ins once they are in use: pods must not roll because a registry answers today."""
    if paths.MACHINE_SETTINGS.exists():
        return "baseImages" in json.loads(paths.MACHINE_SETTINGS.read_text()).get("images", {})
    return not tools.registry_answers()


def _is_given(cluster: dict[str, Any]) -> bool:
    return cluster.get("kind", "local") != "local" or bool(cluster.get("context"))


def _check_context(cluster: dict[str, Any]) -> None:
    context = cluster.get("context")
    command = ["kubectl", "--request-timeout=10s"] + (
        ["--context", str(context)] if context else []
    )
    if cluster.get("kubeconfig"):
        command += ["--kubeconfig", str(cluster["kubeconfig"])]
    if ui.capture(["kubectl", "version", "--client"], env=environment.complete()) is None:
        return
    if ui.capture([*command, "get", "--raw=/readyz"], env=environment.complete()) is None:
        raise ui.Failure(
            f"The cluster of kube context {context or '(current)'} does not answer; start it, or correct cluster.context "
            "in the stack's todo:settings; nothing was changed."
        )


def _buildx_instance() -> None:
    """A buildx builder of driver ``remote`` on the cluster's BuildKit."""
    folder = paths.BUILDX_CONFIG / "instances"
    folder.mkdir(parents=True, exist_ok=True)
    endpoint = f"unix://{config.BUILDKIT_SOCKET}"
    instance = {
        "Name": _BUILDER,
        "Driver": "remote",
        "Nodes": [
            {
                "Name": f"{_BUILDER}0",
                "Endpoint": endpoint,
                "Platforms": None,
                "DriverOpts": None,
                "Flags": None,
                "Files": None,
            }
        ],
        "Dynamic": False,
    }
    (folder / _BUILDER).write_text(json.dumps(instance))


def _write(overrides: dict[str, Any]) -> None:
    text = json.dumps(overrides, indent=2) + "\n"
    if paths.MACHINE_SETTINGS.exists() and paths.MACHINE_SETTINGS.read_text() == text:
        return
    paths.LOCAL.mkdir(exist_ok=True)
    partial = paths.MACHINE_SETTINGS.with_suffix(".partial")
    partial.write_text(text)
    partial.replace(paths.MACHINE_SETTINGS)
