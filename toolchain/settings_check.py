"""Validates a stack file's `todo:settings` before a cluster is started.

Runs in the project's `.venv`.
"""

import json
import sys
from pathlib import Path

import yaml

from components.todo.settings.errors import SettingsError
from components.todo.settings.found import fill, found_file, is_local
from components.todo.settings.left_open import is_left_open
from components.todo.settings.parse import parse_settings
from components.todo.settings.tree import get


def main(stack: str, stack_file: str) -> int:
    """Prints the file and where its settings lead to, or (returning 1) why they are invalid."""
    document = yaml.safe_load(Path(stack_file).read_text(encoding="utf-8"))
    found = found_file(stack)
    known = json.loads(found.read_text(encoding="utf-8")) if found.exists() else None
    tree = get(get(document, "config"), "todo:settings")
    try:
        # What contradicts the stack file is about to be looked for again.
        settings = parse_settings(tree if _is_of_another(tree, known) else fill(tree, known))
    except SettingsError as error:
        print(
            f"{Path(stack_file).name}: {error}\nCorrect it and run again; nothing was changed.",
            file=sys.stderr,
        )
        return 1
    cluster = settings.cluster
    place = {
        "kubeconfig": cluster.kubeconfig,
        "context": cluster.context,
        "namespace": settings.namespace.name,
    }
    print(json.dumps({"place": place, "document": document}, default=str))
    return 0


def _is_of_another(tree: object, known: object) -> bool:
    """Returns whether what was found out is of another cluster than the stack file names by now."""
    given, found = get(tree, "cluster"), get(known, "cluster")
    return not is_local(tree) or any(
        get(found, key) is not None
        and not is_left_open(key, get(given, key))
        and get(given, key) != get(found, key)
        for key in ("provider", "name", "kubeconfig", "context")
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
