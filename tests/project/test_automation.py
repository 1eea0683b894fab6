"""GitHub understands the workflows, and Renovate its configuration."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from distribution.addon_parts import PARTS, POSTGRES_EXPORTER
from tests.recording import ROOT
from toolchain import tools

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
RENOVATE = json.loads((ROOT / "renovate.json").read_text(encoding="utf-8"))


def _check(schema: str, *files: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    done = subprocess.run([*command, *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_renovate_understands_its_configuration() -> None:
    _check("renovate", ROOT / "renovate.json")


def test_github_understands_the_workflows() -> None:
    _check("github-workflows", *WORKFLOWS)


def test_actionlint_finds_nothing() -> None:
    program = tools.linter("actionlint")
    if program is None:
        pytest.skip("there is no actionlint; `make test` builds it, or says why it cannot")
    done = subprocess.run([program, *WORKFLOWS], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda it: it.stem)
def test_every_action_is_pinned_to_a_commit(workflow: Path) -> None:
    for action in re.findall(r"uses: (\S+.*)", workflow.read_text(encoding="utf-8")):
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", action), action


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda it: it.stem)
def test_every_command_of_make_exists(workflow: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"\bmake ([a-z0-9-]+)", workflow.read_text(encoding="utf-8")):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def _found(manager: dict[str, Any], pattern: str) -> list[re.Match[str]]:
    """What a custom manager finds in the files of one of its patterns."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    names = listed.stdout.splitlines()
    (expression,) = (it.replace("(?<", "(?P<") for it in manager["matchStrings"])
    files = [ROOT / it for it in names if re.search(pattern.strip("/"), it)]
    texts = [it.read_text(encoding="utf-8") for it in files if it.exists()]
    return [match for it in texts for match in re.finditer(expression, it)]


@pytest.mark.parametrize("manager", RENOVATE["customManagers"], ids=lambda it: it["description"])
def test_renovate_finds_every_version_that_it_is_told_of(manager: dict[str, Any]) -> None:
    for pattern in manager["managerFilePatterns"]:
        assert _found(manager, pattern), f"{pattern}: {manager['matchStrings']}"


ADDON_IMAGES = sorted(
    {POSTGRES_EXPORTER.official, *(it.official for p in PARTS.values() for it in p.images.values())}
)


@pytest.mark.parametrize("image", ADDON_IMAGES)
def test_renovate_finds_each_image_of_an_add_on_in_its_settings(image: str) -> None:
    found = [
        ":".join(it.group("depName", "currentValue"))
        for manager in RENOVATE["customManagers"]
        if manager["datasourceTemplate"] == "docker"
        for pattern in manager["managerFilePatterns"]
        if "settings" in pattern or "components" in pattern
        for it in _found(manager, pattern)
    ]
    assert image in found
