"""`make up` of the deployed stack, when there is nothing to do."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from bench.commands import Failed, command
from bench.row import LeftOut
from bench.stack import PROJECT, BenchStack
from bench.state import copied_state

NAME = "make up"


@contextmanager
def nothing_to_do(stack: BenchStack) -> Generator[Callable[[], object] | LeftOut]:
    """Returns what runs `make up` of the deployed stack, if that would change nothing.

    All of it is as a person runs it, but that Pulumi remembers it in a copy of the stack's state:
    the stack itself is only read.
    """
    name = stack.like
    with copied_state(PROJECT, name) as backend:

        def run(*arguments: str) -> None:
            command(*arguments, cwd=PROJECT, environment={**stack.person, **backend})

        try:
            # Refreshed, since `make up` would make anew what is gone from the cluster.
            run("pulumi", "preview", "--refresh", "--expect-no-changes", "--stack", name)
        except Failed:
            why = f"stack {name} is not as the project would deploy it; run `make up` first"
            yield LeftOut(what=NAME, why=why)
            return
        yield lambda: run("make", "up", f"STACK={name}")
