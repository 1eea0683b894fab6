"""Which context a kubeconfig means."""

import os
from pathlib import Path
from typing import Any, cast

import yaml


def current_context(files: str) -> str | None:
    """Returns the current context of a list of kubeconfigs: that of the first which has one.

    So does kubectl, and the plugin with it ("Organizing Cluster Access Using kubeconfig Files");
    the Python client would take the last.

    Args:
        files: Paths, separated as in the variable KUBECONFIG.
    """
    for file in files.split(os.pathsep):
        try:
            content: Any = yaml.safe_load(Path(file).expanduser().read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError):
            continue
        if isinstance(content, dict) and (found := cast("Any", content).get("current-context")):
            return str(found)
    return None
