"""Runs the whole program for a stack file under the recording engine."""

import gc
import json
import re
import runpy
import signal
from pathlib import Path
from typing import Any

import yaml

from components.image.node_images import NodeImages
from tests.recording import ROOT, SECRETS, SIGNING_KEY, Recording, record

STACKS = ("minikube", "full", "cloud")


def stack_settings(stack: str) -> dict[str, Any]:
    """Returns the settings of a stack file."""
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)["config"]["todo:settings"]


def provider_settings() -> dict[str, dict[str, Any]]:
    """Returns the cloud stack's settings as Pulumi.cloud.example.md changes them, by provider."""
    text = (ROOT / "Pulumi.cloud.example.md").read_text(encoding="utf-8")
    examples = re.findall(r"^## ([^:\n]+):.*\n+```yaml\n([^`]*)```", text, re.MULTILINE)
    base = stack_settings("cloud")
    return {provider: {**base, **yaml.safe_load(example)} for provider, example in examples}


def run_program(
    settings: object,
    *,
    secrets: dict[str, str] | None = None,
    stack: str = "test",
    nodes: NodeImages | None = None,
    catch: type[Exception] | None = None,
) -> Recording:
    """Runs `__main__.py` with these settings, which may have to end in an error."""
    given = {**SIGNING_KEY, **(SECRETS if secrets is None else secrets)}
    config = {"todo:settings": json.dumps(settings), **given}
    return record(lambda: _run(ROOT / "__main__.py"), config, stack, nodes=nodes, catch=catch)


def _run(path: Path) -> None:
    handler = signal.getsignal(signal.SIGINT)
    try:
        runpy.run_path(str(path), run_name="__main__")
    finally:
        # pytest's own, not the program's
        signal.signal(signal.SIGINT, handler)
        gc.enable()
