"""Validates a stack file's `todo:settings` before a cluster is started.

Runs in the project's `.venv`.
"""

import json
import sys
from pathlib import Path

import yaml

from components.todo.settings.errors import SettingsError
from components.todo.settings.found import fill, found_file, is_local, read_found
from components.todo.settings.left_open import is_left_open
from components.todo.settings.parse import parse_settings
from components.todo.settings.tree import get
from toolchain.document import REFUSED


def main(stack: str, stack_file: str) -> int:
    """Prints the file and where its settings lead to, or (REFUSED) why they are invalid."""
    file, found = Path(stack_file), found_file(stack)
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        return _refuse(f"{file.name} cannot be read{_reason(error)}; correct it and run again")
    try:
        # An older file for all stacks is no reason to stop: it is about to be looked for again.
        known = read_found(Path(), found) if found.exists() else None
    except SettingsError as error:
        return _refuse(str(error))
    tree = get(get(document, "config"), "todo:settings")
    try:
        # What contradicts the stack file is about to be looked for again.
        settings = parse_settings(tree if _is_of_another(tree, known) else fill(tree, known))
    except SettingsError as error:
        return _refuse(f"{file.name}: {error}\nCorrect it and run again")
    cluster = settings.cluster
    place = {
        "kubeconfig": cluster.kubeconfig,
        "context": cluster.context,
        "namespace": settings.namespace.name,
    }
    print(json.dumps({"place": place, "document": document}, default=str))
    return 0


def _refuse(why: str) -> int:
    print(f"{why}; nothing was changed.", file=sys.stderr)
    return REFUSED


def _reason(error: Exception) -> str:
    """Returns where a file is no YAML, and why, on one line."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return f" ({' '.join(str(error).split())})"
    return f" as YAML (line {error.problem_mark.line + 1}: {error.problem})"


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
