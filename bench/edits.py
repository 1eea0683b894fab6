"""From a line that is edited in an image's sources to pods that run it."""

import json
import re
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from uuid import uuid4

from bench.commands import Failed, command
from bench.manifests import wait_ready
from bench.row import LeftOut, Result, Row, Unit
from bench.stack import BenchStack
from bench.timing import Peer, side_by_side
from components.image.node_stores import in_containerd
from stack_settings.found import fill

_LINES = {
    "backend": ("todo_backend/__init__.py", "\n# edited {}\n"),
    "frontend": ("app/globals.css", "\n.edited-{} {{ color: inherit; }}\n"),
}
"""For each image a file of its sources, and the line that is added to it."""
_OURS, _PEER = "pulumi up", "kubectl rollout restart, rollout status"
_COLD_RUNS = 1
"""Such a build takes minutes, most of them other people's: downloads, and compilers of others."""
_CACHE = re.compile(r"--mount=type=cache,\S+ *")


def measure(stack: BenchStack, runs: int) -> Sequence[Result]:
    """Measures edits in the stack's copy of the project, beside a roll with nothing to build."""
    if stack.given.get("images", {}).get("mode") != "load":
        why = "the stack's images are not built into its cluster"
        return [LeftOut(what="one-line edits of an image", why=why)]
    rows: list[Result] = []
    with _images_removed(stack) as remember:
        for service in _LINES:  # an image of this run's own from the beginning
            _edit(stack, service)
        # What `make up` found out is in it; the rest of the stack is not told of that.
        images = fill(stack.given["images"], stack.found.get("images"))
        with stack.changed(lambda settings: settings.update(images=images)):
            wait_ready(stack.namespace)
            for service in _LINES:

                def edit(service: str = service) -> None:
                    remember()
                    _edit(stack, service)

                def edit_cold(service: str = service) -> None:
                    edit(service)
                    dockerfile = stack.project / "apps" / service / "Dockerfile"
                    dockerfile.write_text(cold(dockerfile.read_text(), uuid4().hex))

                rows.append(_row(stack, service, "warm", edit, runs))
                rows.append(_row(stack, service, "cold", edit_cold, _COLD_RUNS))
            remember()
    return rows


def _row(stack: BenchStack, service: str, cache: str, edit: Callable[[], None], runs: int) -> Row:
    deployment = f"deployment/{service}"

    def restart() -> None:
        stack.kubectl("rollout", "restart", deployment)
        wait_ready(stack.namespace, deployment)

    found = side_by_side({_OURS: Peer(run=stack.up, before=edit), _PEER: Peer(run=restart)}, runs)
    return Row(
        what=f"one line of the {service} edited, built with a {cache} cache, rolled",
        unit=Unit.SECONDS,
        ours=_OURS,
        peer=_PEER,
        series=found,
        note="beside it stands the roll alone, with nothing to build",
    )


def _edit(stack: BenchStack, service: str) -> None:
    file, line = _LINES[service]
    with (stack.project / "apps" / service / file).open("a", encoding="utf-8") as source:
        source.write(line.format(uuid4().hex))


def cold(dockerfile: str, mark: str) -> str:
    """Returns a Dockerfile that finds nothing in a build cache, and leaves what is in it alone.

    Args:
        dockerfile: The Dockerfile; its base images stay.
        mark: What no cache has seen: the value of a variable in front of every step.
    """
    lines = _CACHE.sub("", dockerfile).splitlines()
    kept = [it for it in lines if not it.startswith("ENV COLD=")]
    marked = [f"{it}\nENV COLD={mark}" if it.startswith("FROM ") else it for it in kept]
    return "\n".join(marked) + "\n"


@contextmanager
def _images_removed(stack: BenchStack) -> Generator[Callable[[], None]]:
    """Removes the images that the stack has built from a node whose store is containerd's own.

    Returns:
        What has to be called while the stack runs an image that is to be removed.
    """
    before, made = in_containerd(), set[str]()

    def remember() -> None:
        made.update(json.loads(stack.pulumi("stack", "output", "images", "--json")).values())

    try:
        yield remember
    finally:
        with suppress(Failed):  # interrupted before its first update
            remember()
        if before is not None and (ours := sorted(made - before)):
            command("ctr", "--namespace", "k8s.io", "images", "rm", *ours)
