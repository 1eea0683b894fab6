"""The variables that `pulumi` and `kubectl` need, for this process and for `eval "$(make env)"`."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from pathlib import Path
from typing import Any

from distribution.cluster import node, places
from toolchain import paths, tools

_CHOSEN = ("KUBECONFIG", "BUILDX_CONFIG", "DOCKER_CONFIG", "PULUMI_BACKEND_URL")
_FETCHES_NO_PLUGIN = "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"
_OURS = "TRUE"
"""What Pulumi reads as `true`, which is what a person would write: told apart from theirs."""
_HOSTS_OWN = "default"
"""The docker context that stands for `DOCKER_HOST`, or else for this machine's own daemon."""


def variables(stack: str) -> dict[str, str]:
    """Returns what differs from the caller's environment for one stack.

    What the user chose is never replaced: a backend, a passphrase, a kubeconfig, a folder of
    buildx. What `make env` of another stack has put there is not the user's choice, see
    `_left_over`.

    Args:
        stack: The stack's name; what `make up` found out for another one does not count.
    """
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    ours = [str(paths.VENV / "bin"), str(paths.BIN)]
    result = {
        "PATH": os.pathsep.join([*ours, *(p for p in path if p not in ours)]),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # Plugins are asked for when something uses them: otherwise every run looks for that of each
        # package.
        "PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL": "true",
    }
    if tools.runs_built() and os.environ.get(_FETCHES_NO_PLUGIN, _OURS) == _OURS:
        # It was built because its maker's server did not answer. Asked for a plugin that is not
        # there, the server would be tried five times before Pulumi says that it is not there.
        result[_FETCHES_NO_PLUGIN] = _OURS
    if "PULUMI_BACKEND_URL" not in os.environ and not _logged_in():
        result["PULUMI_BACKEND_URL"] = f"file://{paths.PULUMI_STATE}"
    if not {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & os.environ.keys():
        result["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(paths.PASSPHRASE_FILE)
    left_over = _left_over(stack)
    result |= {name: value for name, value in left_over.items() if value}
    found = found_out(stack)
    builder = str(found.get("images", {}).get("builder", {}).get("name") or "")
    if _is_ours(paths.BUILDX_CONFIG / "instances" / builder) and not os.environ.get(
        "BUILDX_CONFIG"
    ):
        result["BUILDX_CONFIG"] = str(paths.BUILDX_CONFIG)
    if _is_ours(_docker_context(builder)):
        result["DOCKER_CONFIG"] = str(paths.DOCKER_CONFIG)
    if context := _chosen_context(found):
        # buildx builds in no other docker context than the current one.
        result["DOCKER_CONTEXT"] = context
    cluster = found.get("cluster", {})
    if "kubeconfig" in cluster:
        users = left_over.get("KUBECONFIG", os.environ.get("KUBECONFIG", ""))
        result["KUBECONFIG"] = _kubeconfigs(users, cluster["kubeconfig"])
    if cluster.get("kubeconfig") == str(node.kubeconfig()):
        # containerd's own variables: for `ctr images ls`, by which the program sees what the node
        # lost.
        result["CONTAINERD_ADDRESS"] = str(places.CONTAINERD_SOCKET)
        result["CONTAINERD_NAMESPACE"] = "k8s.io"
    return result


def complete(stack: str) -> dict[str, str]:
    """Returns the caller's environment with `variables`, without another stack's left-overs."""
    left_over = _left_over(stack)
    return {n: v for n, v in os.environ.items() if n not in left_over} | variables(stack)


def shell(stack: str) -> str:
    """Returns `variables` as `export` lines for a POSIX shell.

    What the user chose of them is said, too.
    """
    left_over = _left_over(stack)
    chosen = {n: os.environ[n] for n in _CHOSEN if os.environ.get(n) and n not in left_over}
    lines = [f"unset {name}" for name, value in left_over.items() if not value]
    exported = (chosen | variables(stack)).items()
    return "\n".join([*lines, *(f"export {name}={shlex.quote(value)}" for name, value in exported)])


def buildx_config() -> Path:
    """Returns the folder that buildx reads: the user's `$BUILDX_CONFIG`, else one in this clone."""
    return Path(os.environ.get("BUILDX_CONFIG") or paths.BUILDX_CONFIG)


def found_out(stack: str) -> dict[str, Any]:
    """Returns what `make up` found out for the stack; nothing before the first one."""
    try:
        return json.loads(paths.machine_settings(stack).read_text())
    except (OSError, ValueError):
        return {}


def uses_own_state(stack: str) -> bool:
    """Returns whether the stack's state is in this clone, and not in a backend of the user's."""
    return (
        "PULUMI_BACKEND_URL" in variables(stack)
        or os.environ.get("PULUMI_BACKEND_URL") == f"file://{paths.PULUMI_STATE}"
    )


def _left_over(stack: str) -> dict[str, str]:
    """Returns variables as they were before an earlier `make env`; empty: there was none.

    That was another stack's, or before another Pulumi.

    With that stack's kubeconfig first, a stack that names no context would go into its cluster.
    """
    try:
        named = (paths.PROJECT / f"Pulumi.{stack}.yaml").read_text("utf-8", errors="replace")
    except OSError:
        named = ""
    found = found_out(stack)
    before: dict[str, str] = {}
    own = {found.get("cluster", {}).get("kubeconfig")}
    if node.CONTEXT in named:
        own.add(str(node.kubeconfig()))
    parts = [part for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    ours = (f"{paths.LOCAL}{os.sep}", str(node.kubeconfig()))
    others = [part for part in parts if part.startswith(ours) and part not in own]
    if others:
        before["KUBECONFIG"] = os.pathsep.join(part for part in parts if part not in others)
    builder = str(found.get("images", {}).get("builder", {}).get("name") or "")
    folder = paths.BUILDX_CONFIG / "instances"
    instances = [it.name for it in folder.iterdir()] if folder.is_dir() else []
    builds = builder in instances or any(name in named for name in instances)
    if os.environ.get("BUILDX_CONFIG") == str(paths.BUILDX_CONFIG) and not builds:
        before["BUILDX_CONFIG"] = ""
    if _chosen_context(found) and os.environ.get("DOCKER_HOST"):
        before["DOCKER_HOST"] = ""  # which would win over the context that the stack builds in
    elif _is_ours(_docker_context(os.environ.get("DOCKER_CONTEXT", ""))):
        before["DOCKER_CONTEXT"] = ""
    docker = os.environ.get("DOCKER_CONFIG") == str(paths.DOCKER_CONFIG)
    if docker and not _is_ours(_docker_context(builder)):
        before["DOCKER_CONFIG"] = ""
    if os.environ.get(_FETCHES_NO_PLUGIN) == _OURS and not tools.runs_built():
        before[_FETCHES_NO_PLUGIN] = ""  # a Pulumi that was installed since fetches its plugins
    containerd = os.environ.get("CONTAINERD_ADDRESS") == str(places.CONTAINERD_SOCKET)
    if containerd and str(node.kubeconfig()) not in own:
        before |= {"CONTAINERD_ADDRESS": "", "CONTAINERD_NAMESPACE": ""}
    return before


def _chosen_context(found: dict[str, Any]) -> str | None:
    """Returns the docker context that builds the images, where not everybody has it."""
    builder = found.get("images", {}).get("builder", {})
    name = builder.get("name")
    return name if builder.get("exporter") in ("docker", "archive") and name != _HOSTS_OWN else None


def _docker_context(name: str) -> Path:
    """Returns the Docker CLI's folder for a context, which is named after the name's digest."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return paths.DOCKER_CONFIG / "contexts" / "meta" / digest


def _is_ours(path: Path) -> bool:
    """Returns whether set-up has made a builder or a context.

    One of the user's is only linked to.
    """
    return path.exists() and not path.is_symlink() and path.name != "instances"


def _kubeconfigs(users: str, ours: str) -> str:
    """Returns a kubeconfig that set-up has written, behind the user's own where there is one.

    kubectl takes the current context from the first file; the local cluster's is then one of many.
    """
    given = [part for part in users.split(os.pathsep) if part]
    return os.pathsep.join([*given, *([] if ours in given else [ours])])


def _logged_in() -> bool:
    try:
        return bool(
            json.loads((paths.pulumi_home() / "credentials.json").read_text()).get("current")
        )
    except (OSError, ValueError):
        return False
