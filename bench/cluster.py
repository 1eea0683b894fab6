"""The deployed stack's cluster, as the only one that a measurement reaches."""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.commands import command

_VARIABLE = "KUBECONFIG"


@contextmanager
def only_cluster(outputs: Mapping[str, Any]) -> Generator[dict[str, str]]:
    """Lets kubectl and Helm reach a stack's cluster and no other, whatever is current here.

    Args:
        outputs: The stack's outputs.

    Returns:
        The variables that say otherwise, as they were.
    """
    view = ["kubectl", "config", "view", "--raw", "--minify", "--flatten"]
    for option, output in (("--kubeconfig", "kubeconfig"), ("--context", "kubeContext")):
        view += [option, outputs[output]] if outputs.get(output) else []
    before = {_VARIABLE: os.environ.get(_VARIABLE, "")}
    with TemporaryDirectory(prefix="todo-bench-") as folder:
        file = Path(folder, "kubeconfig")
        file.write_text(command(*view), encoding="utf-8")
        os.environ[_VARIABLE] = str(file)
        try:
            yield before
        finally:
            os.environ |= before
