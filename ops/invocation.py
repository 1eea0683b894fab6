"""Commands of a stack as a person types them, for what a failure tells to run."""


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
