"""Validates a stack file's `todo-addons:settings` before a cluster is started.

Runs in the project's `.venv`.
"""

import json
import sys
from pathlib import Path

from addons.settings.parse import KEY, parse_settings
from stack_settings.errors import SettingsError
from stack_settings.tree import get
from toolchain.stack_document import read, refuse


def main(stack: str, stack_file: str) -> int:
    """Prints the file and where its settings lead to, or (REFUSED) why they are invalid."""
    del stack  # what was found out for it is about to be looked for again
    file = Path(stack_file)
    shown = f"addons/{file.name}"
    try:
        document = read(file, shown)
    except SettingsError as error:
        return refuse(str(error))
    try:
        cluster = parse_settings(get(get(document, "config"), KEY.name)).cluster
    except SettingsError as error:
        return refuse(f"{shown}: {error}\nCorrect it and run again")
    place = {"kubeconfig": cluster.kubeconfig, "context": cluster.context, "namespace": None}
    print(json.dumps({"place": place, "document": document}, default=str))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
