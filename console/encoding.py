"""Printing on terminals that cannot show every character."""

import sys
from io import TextIOWrapper


def print_what_can_be_shown() -> None:
    """Has a `?` printed for what the locale's encoding lacks, where Python would end in an error.

    Names may have any character, and what is printed has some that are not in ISO 8859-1.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
