"""The same objects as a chart of Helm."""

import json
import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.commands import command
from bench.manifests import moved, wait_ready
from bench.namespaces import HELM, delete_namespace

NAME = "helm upgrade --install"
_CHART = "apiVersion: v2\nname: todo-bench\nversion: 0.0.0\n"


class Helm:
    """`helm upgrade --install` of the same objects but the namespace, which Helm makes itself."""

    namespace = HELM

    def __init__(self, chart: str) -> None:
        self._chart = chart

    def upgrade(self) -> None:
        """Installs or upgrades the release, and does not wait."""
        where = ("--namespace", self.namespace, "--create-namespace")
        command("helm", "upgrade", "--install", "todo", self._chart, *where)

    def upgrade_and_wait(self) -> None:
        """Installs or upgrades the release, and returns when all pods are ready.

        As with kubectl: Helm's own `--wait` also waits for claims, and that of the backups is bound
        by the first backup.
        """
        self.upgrade()
        wait_ready(self.namespace)

    def remove(self) -> None:
        """Removes the release with all in it."""
        delete_namespace(self.namespace)


@contextmanager
def helm(objects: Sequence[dict[str, Any]]) -> Generator[Helm | None]:
    """Writes objects as a chart, and removes it and them at the end; None: there is no Helm."""
    if shutil.which("helm") is None:
        yield None
        return
    with TemporaryDirectory(prefix="todo-bench-") as folder:
        Path(folder, "Chart.yaml").write_text(_CHART)
        Path(folder, "templates").mkdir()
        text = chart_template(moved(objects, Helm.namespace, ports_from=31000))
        Path(folder, "templates", "objects.yaml").write_text(text)
        peer = Helm(folder)
        try:
            yield peer
        finally:
            peer.remove()


def chart_template(objects: Sequence[dict[str, Any]]) -> str:
    """Returns a template of objects as they are: what looks like Helm's own language is escaped."""
    documents = (json.dumps(it) for it in objects if it["kind"] != "Namespace")
    return "\n---\n".join(it.replace("{{", '{{ "{{" }}') for it in documents)
