"""The same objects as a chart of Helm."""

import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.commands import command
from bench.manifests import Counterpart, moved
from bench.namespaces import HELM
from tools.export.templates import static
from tools.export.yaml_text import documents

NAME = "helm upgrade --install"
_CHART = "apiVersion: v2\nname: todo-bench\nversion: 0.0.0\n"


@contextmanager
def helm(objects: Sequence[dict[str, Any]]) -> Generator[Counterpart | None]:
    """Writes objects as a chart, and removes it and them at the end; None: there is no Helm.

    The namespace is not in it: `helm upgrade --install` makes that itself.
    """
    if shutil.which("helm") is None:
        yield None
        return
    with TemporaryDirectory(prefix="todo-bench-") as folder:
        Path(folder, "Chart.yaml").write_text(_CHART)
        Path(folder, "templates").mkdir()
        text = chart_template(moved(objects, HELM, ports_from=31000))
        Path(folder, "templates", "objects.yaml").write_text(text)
        upgrading = ("helm", "upgrade", "--install", "todo", folder)
        where = ("--namespace", HELM, "--create-namespace")
        peer = Counterpart(namespace=HELM, deploy=lambda: command(*upgrading, *where))
        try:
            yield peer
        finally:
            peer.remove()


def chart_template(objects: Sequence[dict[str, Any]]) -> str:
    """Returns a template of objects as they are: what looks like Helm's own language is escaped."""
    return documents(static(it) for it in objects if it["kind"] != "Namespace")
