"""What an update would change, and whether it is sure to change nothing, from a preview's events.

The events are those of Pulumi's Automation API
(https://pkg.go.dev/github.com/pulumi/pulumi/sdk/v3/go/common/apitype#EngineEvent), which has them
from the same option of the CLI.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from cluster_objects.json_tree import Json, part, parts

ENVIRONMENT = {"PULUMI_DEBUG_COMMANDS": "true"}
"""Without it the CLI knows no `--event-log`."""
_CHANGES_NOTHING = {"same", "refresh", "read"}
"""What Pulumi calls its looking at a resource."""
_MASK = "[secret]"
"""What an event has in the place of a secret, whatever its value."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What an update would do with one resource that does not stay as it is."""

    op: str
    """As Pulumi calls it: `create`, `update`, `replace`, `delete-replaced`, ..."""
    urn: str
    type: str
    """Pulumi's type, such as `kubernetes:apps/v1:Deployment`."""
    name: str
    """The object's name, or where it has none that of the resource."""
    kept: bool
    """Whether Pulumi would only forget it (`retainOnDelete`)."""
    images_before: tuple[str, ...]
    """The images of its pods."""
    images_after: tuple[str, ...]

    @property
    def kind(self) -> str:
        """The Kubernetes kind, or the last part of any other type."""
        return self.type.rsplit(":", 1)[-1]

    @property
    def changes_images(self) -> bool:
        """Whether its pods would get other images."""
        return self.images_before != self.images_after


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an update would do."""

    nothing: bool
    """Whether it is sure that it would change nothing, and write nothing down."""
    whole: bool
    """Whether the steps are all that there are; else the events were not understood."""
    steps: tuple[Step, ...]

    def write(self, file: Path) -> None:
        """Writes the plan down; there is no secret in it."""
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, file: Path) -> Plan:
        """Returns what `write` has written."""
        tree: Any = json.loads(file.read_text(encoding="utf-8"))
        steps: list[Any] = tree["steps"]
        for it in steps:
            # JSON knows no tuples.
            it["images_before"] = tuple(it["images_before"])
            it["images_after"] = tuple(it["images_after"])
        found = tuple(Step(**it) for it in steps)
        return cls(nothing=tree["nothing"], whole=tree["whole"], steps=found)


@contextmanager
def reading() -> Generator[tuple[Path, Future[Plan]]]:
    """Reads a preview's events while it runs.

    They pass through a pipe and are never written anywhere, since those of Pulumi's own log have
    secrets in plain text.

    Yields:
        What `--event-log` is given, and, once the block has ended, what would change.
    """
    with tempfile.TemporaryDirectory(prefix="preview-") as folder:
        pipe = Path(folder) / "events"
        os.mkfifo(pipe, 0o600)
        # Open for both, so that the reader waits for no Pulumi that never begins to write.
        end = os.open(pipe, os.O_RDWR)
        with pipe.open(encoding="utf-8", errors="replace") as log, ThreadPoolExecutor() as beside:
            try:
                yield pipe, beside.submit(plan_of, log)
            finally:
                os.close(end)


def plan_of(log: Iterable[str]) -> Plan:
    """Returns what a preview says.

    A log that is not understood, or not whole, is not sure that nothing would change.

    Args:
        log: The events, one a line. All of them are read: Pulumi waits for who reads them.
    """
    sure, understood, unchanged, compared = True, True, 0, set[str]()
    counted = set[str]()
    steps: dict[tuple[str, str], Step] = {}
    for line in log:
        event = _event(line)
        for step in (part(event, it, "metadata") for it in ("resourcePreEvent", "resOutputsEvent")):
            if step and step.get("op") not in {None, *_CHANGES_NOTHING}:
                found = _step(step)
                steps[found.op, found.urn] = found
        step = part(event, "resOutputsEvent", "metadata")
        if step:
            compared.add(str(step.get("urn")))
        changes = part(event, "summaryEvent", "resourceChanges")
        if changes:
            unchanged = changes.get("same")
            counted |= {op for op, number in changes.items() if number}
        understood = understood and event is not None
        sure = sure and event is not None and not changes.keys() - {"same"}
        sure = sure and (not step or _is_same(step))
    # A Pulumi that logs only what changes would not tell of the rest.
    nothing = sure and isinstance(unchanged, int) and 0 < unchanged <= len(compared)
    told = {*_CHANGES_NOTHING, *(op for op, _ in steps)}
    whole = understood and bool(counted) and counted <= told
    return Plan(nothing=nothing, whole=whole, steps=tuple(steps.values()))


def _event(line: str) -> Json | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return cast("Json", event) if isinstance(event, dict) else None


def _step(step: Json) -> Step:
    old, new = part(step, "old"), part(step, "new")
    urn = str(step.get("urn"))
    known = [part(it, key, "metadata") for it in (old, new) for key in ("outputs", "inputs")]
    names = [it["name"] for it in known if it.get("name")]
    return Step(
        op=str(step.get("op")),
        urn=urn,
        type=str(step.get("type")),
        name=str(names[0]) if names else urn.rsplit("::", 1)[-1],
        kept=bool(old.get("retainOnDelete")),
        images_before=_images(old),
        images_after=_images(new),
    )


def _images(state: Json) -> tuple[str, ...]:
    pod = part(state, "inputs", "spec", "template", "spec")
    containers = [*parts(pod, "initContainers"), *parts(pod, "containers")]
    return tuple(str(it.get("image")) for it in containers)


def _is_same(step: Json) -> bool:
    """Returns whether a resource stays as the state has it.

    Pulumi counts as unchanged what only its state would have anew: an output, `protect`, a parent.
    """
    is_component = not part(step, "new").get("custom")
    unknown = is_component and _MASK in json.dumps(part(step, "new", "outputs"))
    return step.get("op") == "same" and step.get("old") == step.get("new") and not unknown
