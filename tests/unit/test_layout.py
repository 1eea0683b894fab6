"""The law of the layout: what each part of this repository may know of the others."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIBRARY = sorted(
    path
    for path in (ROOT / "components").rglob("*.py")
    if path.relative_to(ROOT / "components").parts[0] != "todo"
)
APPLICATION = "components.todo"
OWN = {path.stem for path in ROOT.glob("*.py")} | {path.parent.name for path in ROOT.glob("*/*.py")}
"""The packages and modules at the top of this repository."""


def imported(path: Path, source: str) -> Iterator[tuple[bool, str]]:
    """Yields whether an import is relative, and the absolute name of what it may be."""
    package = [*path.relative_to(ROOT).parent.parts]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((False, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # What is imported may be a module itself.
            yield from ((node.level > 0, f"{module}.{name.name}") for name in node.names)


def own(path: Path) -> set[str]:
    """What of this repository a file imports, by its name at the top."""
    source = path.read_text(encoding="utf-8")
    return {name.partition(".")[0] for _, name in imported(path, source)} & OWN


def offences(path: Path, source: str) -> list[str]:
    found: list[str] = []
    for relative, name in imported(path, source):
        if f"{name}.".startswith(f"{APPLICATION}."):
            found.append(f"imports {name} of the application")
        elif not relative and name.partition(".")[0] in OWN:
            # Where the library is installed, it has another name, and the rest is not there.
            found.append(f"imports {name} by a name that it has in this repository alone")
        elif relative and not f"{name}.".startswith("components."):
            found.append(f"imports {name} from outside the library")
    return [*found, *(["mentions the application"] if "todo" in source.lower() else [])]


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_library_knows_nothing_of_the_application(path: Path) -> None:
    assert offences(path, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "from ..todo.settings import Settings",
        "from .. import todo",
        "import components.todo",
        "from components.values.text import Text",
        "import ops",
        "from policy.rules import STACK_RULES",
        "from ...toolchain import ui",
        "def f():\n    from tests.recording import record",
        'LABEL = "todo"',
    ],
)
def test_what_the_library_must_not_say_is_noticed(source: str) -> None:
    assert offences(ROOT / "components" / "app" / "pod.py", source)


def test_what_the_library_may_import() -> None:
    source = "import pulumi\nfrom ..values.text import Text\nfrom .args import AppDeploymentArgs"
    assert offences(ROOT / "components" / "app" / "pod.py", source) == []


def test_operations_know_a_stack_by_its_outputs_alone() -> None:
    """Neither the program that deployed it nor what set this machine up."""
    used = set[str]().union(*(own(path) for path in (ROOT / "ops").rglob("*.py")))
    assert used == {"ops", "console", "cluster_objects"}


def test_the_add_ons_know_nothing_of_the_application_nor_of_what_sets_a_machine_up() -> None:
    for path in (ROOT / "addons").rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        names = {name for _, name in imported(path, source)}
        assert own(path) <= {"addons", "cluster_objects", "components", "stack_settings"}, path
        assert not any(f"{name}.".startswith(f"{APPLICATION}.") for name in names), path


def test_settings_are_checked_without_pulumi() -> None:
    """Importing it takes longer than all of the check."""
    program = (
        "import sys, addons.settings.parse, components.todo.settings.parse; print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {"pulumi", "pulumi_kubernetes"} & {*done.stdout.split()}


@pytest.mark.parametrize("package", ["console", "cluster_objects"])
def test_what_all_may_import_imports_nothing_of_the_rest_and_needs_no_installation(
    package: str,
) -> None:
    for path in (ROOT / package).rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        names = {name.partition(".")[0] for _, name in imported(path, source)}
        assert names <= {package, *sys.stdlib_module_names}
