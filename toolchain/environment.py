"""The variables that `pulumi` and `kubectl` need, for this process and for `eval "$(make env)"`."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Any

from toolchain import minikube, paths
from toolchain.cluster import node

BUILDER = "todo-embedded"
"""The buildx builder on the embedded cluster's BuildKit."""
_CHOSEN = ("KUBECONFIG", "BUILDX_CONFIG", "PULUMI_BACKEND_URL")


def variables(stack: str) -> dict[str, str]:
    """What differs from the caller's environment for one stack.

    What the user chose is never replaced: a backend, a passphrase, a kubeconfig, a folder of buildx. What `make env`
    of another stack has put there is not the user's choice, see `_left_over`.

    Args:
        stack: The stack's name; what `make up` found out for another one does not count.
    """
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    ours = [str(paths.VENV / "bin"), str(paths.BIN)]
    result = {
        "PATH": os.pathsep.join([*ours, *(p for p in path if p not in ours)]),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    if "PULUMI_BACKEND_URL" not in os.environ and not _logged_in():
        result["PULUMI_BACKEND_URL"] = f"file://{paths.PULUMI_STATE}"
    if not {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & os.environ.keys():
        result["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(paths.PASSPHRASE_FILE)
    result |= {name: value for name, value in _left_over(stack).items() if value}
    found = found_out(stack)
    builder = found.get("images", {}).get("builder", {})
    if builder.get("name") == BUILDER and not os.environ.get("BUILDX_CONFIG"):
        result["BUILDX_CONFIG"] = str(buildx_config())
    cluster = found.get("cluster", {})
    if "kubeconfig" in cluster:
        result["KUBECONFIG"] = _kubeconfigs(cluster["kubeconfig"])
    elif builder == {"exporter": "docker"} and minikube.installed():
        result |= minikube.docker_environment(str(cluster.get("context", "minikube")))
    return result


def complete(stack: str) -> dict[str, str]:
    """The caller's environment with `variables` on top, and without what is left over from another stack."""
    left_over = _left_over(stack)
    return {n: v for n, v in os.environ.items() if n not in left_over} | variables(stack)


def shell(stack: str) -> str:
    """`variables` as ``export`` lines for a POSIX shell; what the user chose of them is said, too."""
    left_over = _left_over(stack)
    chosen = {n: os.environ[n] for n in _CHOSEN if os.environ.get(n) and n not in left_over}
    lines = [f"unset {name}" for name, value in left_over.items() if not value]
    exported = (chosen | variables(stack)).items()
    return "\n".join([*lines, *(f"export {name}={shlex.quote(value)}" for name, value in exported)])


def buildx_config() -> Path:
    """The folder that buildx reads: the user's ``$BUILDX_CONFIG``, else one in this clone."""
    return Path(os.environ.get("BUILDX_CONFIG") or paths.BUILDX_CONFIG)


def found_out(stack: str) -> dict[str, Any]:
    """What `make up` found out for the stack; nothing before the first one."""
    try:
        return json.loads(paths.machine_settings(stack).read_text())
    except (OSError, ValueError):
        return {}


def uses_own_state(stack: str) -> bool:
    """Whether the stack's state is the file backend in this clone (and not a backend of the user's)."""
    return (
        "PULUMI_BACKEND_URL" in variables(stack)
        or os.environ.get("PULUMI_BACKEND_URL") == f"file://{paths.PULUMI_STATE}"
    )


def _left_over(stack: str) -> dict[str, str]:
    """Variables as they were before `make env` of another stack of this clone; empty: there was none.

    With that stack's kubeconfig first, a stack that names no context would go into the embedded cluster.
    """
    try:
        named = (paths.PROJECT / f"Pulumi.{stack}.yaml").read_text()
    except OSError:
        named = ""
    found = found_out(stack)
    before: dict[str, str] = {}
    ours = str(node.kubeconfig())
    parts = os.environ.get("KUBECONFIG", "").split(os.pathsep)
    uses = found.get("cluster", {}).get("kubeconfig") == ours or node.CONTEXT in named
    if ours in parts and not uses:
        before["KUBECONFIG"] = os.pathsep.join(p for p in parts if p and p != ours)
    builds = found.get("images", {}).get("builder", {}).get("name") == BUILDER or BUILDER in named
    if os.environ.get("BUILDX_CONFIG") == str(paths.BUILDX_CONFIG) and not builds:
        before["BUILDX_CONFIG"] = ""
    return before


def _kubeconfigs(ours: str) -> str:
    """The embedded cluster's kubeconfig, behind the user's own where there is one.

    kubectl takes the current context from the first file; the embedded cluster's is then one of many.
    """
    given = [part for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return os.pathsep.join([*given, *([] if ours in given else [ours])])


def _logged_in() -> bool:
    try:
        return bool(
            json.loads((paths.pulumi_home() / "credentials.json").read_text()).get("current")
        )
    except (OSError, ValueError):
        return False
