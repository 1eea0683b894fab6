"""The alerts: the files beside this one, which promtool reads as they are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

RULES: Final = Path(__file__).parent / "rules"
RUNBOOKS: Final = "docs/troubleshooting.md"
"""What the files have for the address of the document that every alert links to."""


def rule_files(runbooks: str) -> Mapping[str, str]:
    """Returns the files by their names.

    Args:
        runbooks: The address of the document.
    """
    return {
        f"{file.stem}.rules.yaml": file.read_text(encoding="utf-8").replace(RUNBOOKS, runbooks)
        for file in sorted(RULES.glob("*.yaml"))
    }
