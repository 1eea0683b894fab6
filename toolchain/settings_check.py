"""Validates a stack file's `todo:settings` before a cluster is started.

Runs in the project's `.venv`.
"""

import json
import sys
from pathlib import Path

from components.todo.settings.found import found_file, found_for
from components.todo.settings.parse import KEY, parse_settings
from stack_settings.errors import SettingsError
from stack_settings.found import fill, is_local
from stack_settings.left_open import is_left_open
from stack_settings.tree import get
from toolchain.stack_document import read, refuse


def main(stack: str, stack_file: str) -> int:
    """Prints the file and where its settings lead to, or (REFUSED) why they are invalid."""
    file, found = Path(stack_file), found_file(stack)
    try:
        document = read(file, file.name)
        # An older file for all stacks is no reason to stop: it is about to be looked for again.
        known = found_for(Path(), stack) if found.exists() else None
    except SettingsError as error:
        return refuse(str(error))
    tree = get(get(document, "config"), KEY.name)
    try:
        # What contradicts the stack file is about to be looked for again.
        settings = parse_settings(tree if _is_of_another(tree, known) else fill(tree, known))
    except SettingsError as error:
        return refuse(f"{file.name}: {error}\nCorrect it and run again")
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
