"""Dockerfiles, checked by hadolint."""

import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.manifests.waivers import WAIVERS
from tests.recording import ROOT

PROGRAM = Path(sysconfig.get_path("scripts")) / "hadolint"


@pytest.mark.parametrize("app", ["backend", "frontend"])
def test_hadolint_finds_nothing(app: str) -> None:
    ignored = [f"--ignore={rule}" for rule in WAIVERS["hadolint"]]
    done = subprocess.run(
        [PROGRAM, *ignored, ROOT / "apps" / app / "Dockerfile"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0
