"""Renews the picture of `make validate`, from a deployed stack: python docs/images/terminal.py."""

import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

FOLDER = Path(__file__).parent
WIDTH = 96


def main() -> None:
    """Runs the command as on a terminal and draws what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "ops", "validate"],
        cwd=FOLDER.parent.parent,
        env={**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit("the stack is not healthy: python -m ops validate")
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere)
        console.print(Text.from_ansi(done.stdout))
    svg = console.export_svg(title="make validate")
    # An image in a page loads no fonts from elsewhere.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    (FOLDER / "validate.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
