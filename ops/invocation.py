"""Commands of a stack as a person types them, for what a failure tells to run."""

import re

_OPS = re.compile(r"python -m ops (?=[a-z])")
_NAMED: list[str] = []
"""The stack that the command line names; nothing: the selected one is meant."""


def name_stack(stack: str | None) -> None:
    """Remembers which stack the command line names.

    Args:
        stack: Its name; None: the command line names none.
    """
    _NAMED[:] = [stack] if stack else []


def told(text: str) -> str:
    """Returns a text whose commands of operations name the stack that the command line named.

    Typed without it, they would do with the selected stack what is meant for another.
    """
    return _OPS.sub(ops(_NAMED[0], ""), text) if _NAMED else text


def ops(stack: str, command: str) -> str:
    """Returns a command of operations for a stack, as a person types it.

    Args:
        stack: The stack's name.
        command: What follows `python -m ops`.
    """
    return f"python -m ops --stack {stack} {command}"


def make_up(stack: str, variables: str) -> str:
    """Returns `make up` for a stack, as a person types it.

    Args:
        stack: The stack's name.
        variables: More of the Makefile's.
    """
    return f"make up STACK={stack.rsplit('/', 1)[-1]} {variables}"
