"""Whether the person's kubeconfig leads to a cluster.

Where it does not, one of this clone's own.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cluster_objects.json_tree import part, parts
from toolchain import paths, ui, whole_file
from toolchain.providers import user_environment

_IDENTITY = ("server", "certificate-authority-data")


def path(provider: str, name: str) -> Path:
    """Returns this clone's own kubeconfig for a cluster."""
    return paths.LOCAL / f"kubeconfig.{provider}-{name}"


def flags(provider: str, name: str, context: str) -> list[str]:
    """Returns what leads kubectl to a cluster.

    This clone's own kubeconfig where there is one, and the context.
    """
    file = path(provider, name)
    return [*(["--kubeconfig", str(file)] if file.exists() else []), "--context", context]


def own(provider: str, name: str, context: str, text: str) -> dict[str, str]:
    """Settings that lead to a cluster, beside its context: none where the person's kubeconfig does.

    A context of the same name may be a cluster's that is gone, or another machine's: server and
    certificate authority have to be the same.

    Args:
        provider: The tool.
        name: Its cluster.
        context: What the tool calls the context.
        text: The kubeconfig that the tool prints for it.
    """
    file = path(provider, name)
    view = _view()
    cluster = _cluster_name(view, context)
    wanted = {key: _field(text, key) for key in _IDENTITY}
    entries = {it.get("name"): part(it, "cluster") for it in parts(view, "clusters")}
    known = entries.get(cluster) or {}
    if cluster and {key: known.get(key) for key in _IDENTITY} == wanted:
        file.unlink(missing_ok=True)
        return {}
    write(file, text)
    return {"kubeconfig": str(file)}


def cluster_name(context: str) -> str | None:
    """Returns the cluster's entry that a context of the person's leads to.

    None: there is no such context.
    """
    return _cluster_name(_view(), context)


@contextmanager
def current_kept() -> Generator[None]:
    """Keeps the person's current context, which minikube, kind and k3d replace by a new cluster's.

    Who has none gets the new one, and one that a tool takes away stays gone.
    """
    before = _current()
    try:
        yield
    finally:
        now = _current() if before else None
        if now and now != before:
            put_back = user_environment.ask(["kubectl", "config", "use-context", str(before)])
            if put_back.code == 0:
                ui.say(f"  your kubeconfig has the context {now} by now; current stays {before}")


def _current() -> str | None:
    answer = user_environment.ask(["kubectl", "config", "current-context"])
    return answer.text.strip() or None if answer.code == 0 else None


def write(file: Path, text: str) -> None:
    """Writes a kubeconfig that nobody else may read, as it holds a key."""
    file.parent.mkdir(parents=True, exist_ok=True)
    whole_file.replace(file, text, private=True)


def _view() -> dict[str, Any]:
    answer = user_environment.ask(["kubectl", "config", "view", "--raw", "--output=json"])
    return answer.object() if answer.code == 0 else {}


def _cluster_name(view: dict[str, Any], context: str) -> str | None:
    for it in parts(view, "contexts"):
        if it.get("name") == context:
            return str(part(it, "context").get("cluster"))
    return None


def _field(text: str, key: str) -> str:
    """Returns a field of the one cluster in a kubeconfig of kind or k3d (YAML in blocks)."""
    found = re.search(rf"^\s*(?:- )?{key}: *(\S+)\s*$", text, re.MULTILINE)
    return found[1].strip("\"'") if found else ""
