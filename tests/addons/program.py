"""Runs the add-ons' program for settings under the recording engine."""

import gc
import json
import runpy
import signal
from datetime import UTC, datetime
from typing import Any

import yaml

from addons.local_authority.authority import new_authority
from addons.names import PROJECT
from addons.secret_table import LOCAL_AUTHORITY, REGISTRY_PASSWORD
from tests.recording import ROOT, Recording, record

STACKS = ("minikube", "cloud")
SECRETS = {
    LOCAL_AUTHORITY.config_key: new_authority(datetime.now(UTC)),
    REGISTRY_PASSWORD.config_key: "password-of-the-registry",
}
"""What `make addons` generates."""


def addon_settings(stack: str) -> dict[str, Any]:
    """Returns the settings of a stack file of the add-ons."""
    text = (ROOT / "addons" / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)["config"][f"{PROJECT}:settings"]


def run_addons(
    settings: object,
    secrets: dict[str, str] | None = None,
    *,
    catch: type[Exception] | None = None,
) -> Recording:
    """Runs `addons/__main__.py` with these settings, which may have to end in an error."""
    given = SECRETS if secrets is None else secrets
    config = {f"{PROJECT}:settings": json.dumps(settings), **given}
    return record(_run, config, catch=catch, project=PROJECT)


def _run() -> None:
    handler = signal.getsignal(signal.SIGINT)
    try:
        runpy.run_path(str(ROOT / "addons" / "__main__.py"), run_name="__main__")
    finally:
        # pytest's own, not the program's
        signal.signal(signal.SIGINT, handler)
        gc.enable()
