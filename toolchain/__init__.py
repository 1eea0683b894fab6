"""Set-up behind `make`: tools, Python environment, cluster and stack. Standard library only."""

import sys

OLDEST_PYTHON = (3, 11)

if sys.version_info < OLDEST_PYTHON:
    # Here, and in words that Python 3.8 reads: it does not read all of the modules' syntax.
    sys.exit(
        "\n✗ Python {} is too old; install Python 3.11 or newer and run again.".format(
            ".".join(map(str, sys.version_info[:3]))
        )
    )
