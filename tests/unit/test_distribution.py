"""The distribution: what its recipes take from where, and what it may use of the rest."""

import ast
import json
from pathlib import Path

import pytest

from distribution import recipes
from tests.recording import ROOT
from toolchain import paths, ui

GENERATED = {name: recipe.generated for name, recipe in recipes.RECIPES.items() if recipe.generated}


@pytest.mark.parametrize("name", GENERATED)
def test_what_a_module_has_generated_is_no_part_of_the_repository(name: str) -> None:
    folder = paths.MODULES / recipes.RECIPES[name].module
    assert not [it for it in GENERATED[name] if (folder / it).exists()]


@pytest.mark.parametrize("name", GENERATED)
def test_a_build_takes_what_a_module_has_generated_out_of_it(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = tmp_path / "module"
    for inside in GENERATED[name].values():
        (module / inside).parent.mkdir(parents=True, exist_ok=True)
        (module / inside).write_text('{"name": "kubernetes"}')
    seen: dict[str, dict[str, str]] = {}

    def module_file(published: str, inside: str) -> Path:
        assert "@v" in published
        return module / inside

    def run(command: list[object], *, cwd: Path, **_: object) -> None:
        seen.update({it: json.loads((cwd / it).read_text()) for it in GENERATED[name]})
        out = Path(str(command[command.index("-o") + 1]))
        out.write_text("a program")

    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(recipes, "module_file", module_file)
    monkeypatch.setattr(recipes, "_go", lambda: "go")
    monkeypatch.setattr(ui, "run", run)
    folder = recipes.build(name)
    assert seen["schema.json"] == {"name": "kubernetes", "version": recipes.PULUMI_KUBERNETES}
    assert all(seen.values())
    assert recipes.built(name)
    assert [it.name for it in folder.iterdir()] == list(recipes.RECIPES[name].binaries)
    assert not [it for it in folder.parent.iterdir() if it.name.startswith(".")]


def test_a_copy_of_what_is_generated_builds_nothing_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    modules = tmp_path / "modules"
    (modules / "pulumi-kubernetes").mkdir(parents=True)
    monkeypatch.setattr(paths, "MODULES", modules)
    before = recipes.output("pulumi-kubernetes")
    (modules / "pulumi-kubernetes" / "schema.json").write_text("{}")
    assert recipes.output("pulumi-kubernetes") == before


def test_the_distribution_knows_neither_stacks_nor_other_clusters() -> None:
    allowed = {"files", "internet", "missing", "packages", "paths", "ui"}
    used: set[str] = set()
    for file in (ROOT / "distribution").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "toolchain":
                used.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("toolchain."):
                used.add((node.module or "").removeprefix("toolchain."))
    assert used == allowed
