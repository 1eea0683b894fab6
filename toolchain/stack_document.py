"""What the checks of settings have in common: a stack file that is read, and a refusal.

Runs in the project's `.venv`.
"""

import sys
from pathlib import Path

import yaml

from stack_settings.errors import SettingsError
from toolchain.document import REFUSED


def read(file: Path, shown: str) -> object:
    """Returns what is in a stack file.

    Args:
        file: The file.
        shown: As a person would name it.

    Raises:
        SettingsError: It cannot be read.
    """
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SettingsError(
            f"{shown} cannot be read{_reason(error)}; correct it and run again"
        ) from None


def refuse(why: str) -> int:
    """Says what is wrong, and returns the program's end."""
    print(f"{why}; nothing was changed.", file=sys.stderr)
    return REFUSED


def _reason(error: Exception) -> str:
    """Returns where a file is no YAML, and why, on one line."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return f" ({' '.join(str(error).split())})"
    return f" as YAML (line {error.problem_mark.line + 1}: {error.problem})"
