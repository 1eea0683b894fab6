"""Whether a preview is sure to have found nothing to change, from Pulumi's log of its events.

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
from pathlib import Path
from typing import cast

from cluster_objects.json_tree import Json, part

ENVIRONMENT = {"PULUMI_DEBUG_COMMANDS": "true"}
"""Without it the CLI knows no `--event-log`."""
_MASK = "[secret]"
"""What an event has in the place of a secret, whatever its value."""


@contextmanager
def reading() -> Generator[tuple[Path, Future[bool]]]:
    """Reads a preview's events while it runs.

    They pass through a pipe and are never written anywhere, since those of Pulumi's own log have
    secrets in plain text.

    Yields:
        What `--event-log` is given, and, once the block has ended, whether nothing would change.
    """
    with tempfile.TemporaryDirectory(prefix="preview-") as folder:
        pipe = Path(folder) / "events"
        os.mkfifo(pipe, 0o600)
        # Open for both, so that the reader waits for no Pulumi that never begins to write.
        end = os.open(pipe, os.O_RDWR)
        with pipe.open(encoding="utf-8", errors="replace") as log, ThreadPoolExecutor() as beside:
            try:
                yield pipe, beside.submit(finds_nothing, log)
            finally:
                os.close(end)


def finds_nothing(log: Iterable[str]) -> bool:
    """Returns whether it is sure that an update would change nothing, and write nothing down.

    A log that is not understood, or not whole, is sure of nothing.

    Args:
        log: The events, one a line. All of them are read: Pulumi waits for who reads them.
    """
    sure, unchanged, compared = True, 0, set[str]()
    for line in log:
        event = _event(line)
        step = part(event, "resOutputsEvent", "metadata")
        if step:
            compared.add(str(step.get("urn")))
        changes = part(event, "summaryEvent", "resourceChanges")
        if changes:
            unchanged = changes.get("same")
        sure = sure and event is not None and not changes.keys() - {"same"}
        sure = sure and (not step or _is_same(step))
    # A Pulumi that logs only what changes would not tell of the rest.
    return sure and isinstance(unchanged, int) and 0 < unchanged <= len(compared)


def _event(line: str) -> Json | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return cast("Json", event) if isinstance(event, dict) else None


def _is_same(step: Json) -> bool:
    """Returns whether a resource stays as the state has it.

    Pulumi counts as unchanged what only its state would have anew: an output, `protect`, a parent.
    """
    is_component = not part(step, "new").get("custom")
    unknown = is_component and _MASK in json.dumps(part(step, "new", "outputs"))
    return step.get("op") == "same" and step.get("old") == step.get("new") and not unknown
