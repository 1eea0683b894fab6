"""Commands of the Makefile as a person types them, for what a message tells to run."""

from __future__ import annotations

USUAL = "minikube"
"""The Makefile's stack where none is named."""


def make(command: str, stack: str) -> str:
    """Returns a command of the Makefile for a stack, as a person types it.

    Args:
        command: The command.
        stack: The stack's name.
    """
    return f"make {command}" + ("" if stack == USUAL else f" STACK={stack}")
