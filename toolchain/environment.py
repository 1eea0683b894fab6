"""The variables that `pulumi` and `kubectl` need, for this process and for `eval "$(make env)"`."""

from __future__ import annotations

import json
import os
import shlex

from toolchain import minikube, paths
from toolchain.cluster import node


def variables() -> dict[str, str]:
    """What differs from the caller's environment; a backend or passphrase the user chose is never replaced."""
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    ours = [str(paths.VENV / "bin"), str(paths.BIN)]
    result = {
        "PATH": os.pathsep.join([*ours, *(p for p in path if p not in ours)]),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "BUILDX_CONFIG": str(paths.BUILDX_CONFIG),
    }
    if "PULUMI_BACKEND_URL" not in os.environ and not _logged_in():
        result["PULUMI_BACKEND_URL"] = f"file://{paths.PULUMI_STATE}"
    if not {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & os.environ.keys():
        result["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(paths.PASSPHRASE_FILE)
    if node.exists():
        result["KUBECONFIG"] = str(node.kubeconfig())
    elif _machine_uses_minikube():
        result |= minikube.docker_environment(_context())
    return result


def complete() -> dict[str, str]:
    """The caller's environment with `variables` on top."""
    return os.environ | variables()


def shell() -> str:
    """`variables` as ``export`` lines for a POSIX shell."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables().items())


def uses_own_state() -> bool:
    """Whether the stack's state is the file backend in this clone (and not a backend of the user's)."""
    return (
        "PULUMI_BACKEND_URL" in variables()
        or os.environ.get("PULUMI_BACKEND_URL") == f"file://{paths.PULUMI_STATE}"
    )


def _logged_in() -> bool:
    try:
        return bool(
            json.loads((paths.pulumi_home() / "credentials.json").read_text()).get("current")
        )
    except (OSError, ValueError):
        return False


def _machine() -> dict[str, dict[str, object]]:
    try:
        return json.loads(paths.MACHINE_SETTINGS.read_text())
    except (OSError, ValueError):
        return {}


def _machine_uses_minikube() -> bool:
    return (
        _machine().get("images", {}).get("builder") == {"exporter": "docker"}
        and minikube.installed()
    )


def _context() -> str:
    return str(_machine().get("cluster", {}).get("context", "minikube"))
