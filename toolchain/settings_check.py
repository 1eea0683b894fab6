"""Validates a stack file's ``todo:settings`` before a cluster is started; runs in the project's ``.venv``."""

import json
import sys
from pathlib import Path

import yaml

from components.config import OVERRIDES, SettingsError, parse_settings


def main(stack_file: str) -> int:
    """Print the settings' own message and return 1 when they are invalid."""
    config = (yaml.safe_load(Path(stack_file).read_text(encoding="utf-8")) or {}).get(
        "config"
    ) or {}
    overrides = json.loads(OVERRIDES.read_text(encoding="utf-8")) if OVERRIDES.exists() else None
    try:
        parse_settings(config.get("todo:settings"), overrides)
    except SettingsError as error:
        print(
            f"{Path(stack_file).name}: {error}\nCorrect it and run again; nothing was changed.",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
