"""The library installs alone, under its own name."""

import json
import subprocess
from pathlib import Path, PurePosixPath

from tests.installed_library import Wheel
from tests.recording import ROOT

NAME = "kubernetes_app_components"


def _packaged(suffix: str) -> set[PurePosixPath]:
    components = ROOT / "components"
    found = (it.relative_to(components) for it in components.rglob(f"*{suffix}"))
    return {PurePosixPath(it) for it in found if it.parts[0] != "todo"}


def test_the_wheel_has_every_module_of_the_library_and_nothing_of_the_application(
    wheel: Wheel,
) -> None:
    files = [PurePosixPath(it) for it in wheel.files]
    modules = {it.relative_to(NAME) for it in files if it.parts[0] == NAME}
    assert modules == _packaged(".py") | {PurePosixPath("py.typed")}
    assert {it.parts[0] for it in files} == {
        NAME,
        wheel.path.name[: -len("-py3-none-any.whl")] + ".dist-info",
    }
    assert any(it.endswith("/licenses/LICENSE") for it in wheel.files)


def test_it_brings_neither_docker_nor_policies_nor_operations(strangers_python: Path) -> None:
    command = [strangers_python, "-m", "pip", "list", "--format", "json"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    installed = {it["name"].lower().replace("_", "-") for it in json.loads(listed)}
    assert {"kubernetes-app-components", "pulumi", "pulumi-kubernetes", "pydantic"} <= installed
    assert not installed & {"docker", "pulumi-docker", "pulumi-docker-build", "pulumi-policy"}
    assert not installed & {"typer", "rich", "pytest", "checkov"}


def test_every_module_that_needs_no_extra_can_be_imported(strangers_python: Path) -> None:
    modules = [
        ".".join((NAME, *(it.parent.parts if it.stem == "__init__" else it.with_suffix("").parts)))
        for it in sorted(_packaged(".py"))
        if it.as_posix() != "image/buildkit.py"  # the extra `images`
    ]
    program = f"import importlib\nfor it in {modules!r}: importlib.import_module(it)"
    done = subprocess.run(
        [strangers_python, "-c", program],
        capture_output=True,
        text=True,
        cwd=strangers_python.parent,
    )
    assert done.returncode == 0, done.stderr
