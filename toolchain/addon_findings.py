"""What `make addons` finds out for the parts that a stack chooses, and writes down for it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template

from cluster_objects.json_tree import Json, part
from distribution import golang, stand_ins
from distribution.addon_parts import PARTS, ModuleFolder
from distribution.cluster import registry
from distribution.stand_ins import StandIn
from toolchain import findings, paths, ui, whole_file

_FOLDERS = "addons"
"""Below `.local`: charts and definitions out of Go modules."""


def find(given: Json, *, embedded: bool, builds: bool) -> Json:
    """Returns what the chosen parts are told, and sees to it that it is there.

    Args:
        given: The stack's `todo-addons:settings`.
        embedded: Whether it is the embedded cluster.
        builds: Whether no registry answers, so that images are built and charts taken from Go
            modules.

    Raises:
        Failure: Something cannot be built or fetched, or the cluster's node would not take it.
    """
    if embedded:
        registry.check(part(given, "registry"))
    chosen = {key: it for key, it in PARTS.items() if given.get(key) is not None}
    images = {
        (key, *path.split(".")): image
        for key, it in chosen.items()
        for path, image in (it.images.items() if builds else ())
    }
    folders = {
        (key, *path.split(".")): folder
        for key, it in chosen.items()
        for path, folder in (it.folders.items() if builds else ())
        # A chart that a person names is a choice as a whole.
        if not part(given, key, *path.split(".")[:-1]) or "." not in path
    }
    found: Json = {key: {} for key in chosen}
    for key, it in chosen.items():
        found[key] |= dict(it.local) | (dict(it.embedded) if embedded else {})
    for at, image in images.items():
        _put(found, at, stand_ins.reference(image))
    for at in folders:
        _put(found, at, f"../{_folder(at).relative_to(paths.PROJECT).as_posix()}")
    kept = findings.left_open(found, given)
    _provide(
        [image for at, image in images.items() if _has(kept, at)],
        {at: folder for at, folder in folders.items() if _has(kept, at)},
    )
    return kept


def write(stack: str, found: Json) -> None:
    """Writes down what a stack of the add-ons is told."""
    file = paths.addon_settings(stack)
    file.parent.mkdir(exist_ok=True)
    whole_file.replace(file, json.dumps(found, indent=2) + "\n")


def cluster(stack: str) -> Json:
    """Returns kubeconfig and context of the last `make addons`, where it has found them out."""
    try:
        return part(json.loads(paths.addon_settings(stack).read_text()), "cluster")
    except (OSError, ValueError):
        return {}


def _provide(images: list[StandIn], folders: Mapping[tuple[str, ...], ModuleFolder]) -> None:
    if not images and not folders:
        return
    with ui.step("Images and charts"):
        stand_ins.ensure(paths.BIN, images)
        for at, folder in folders.items():
            _copy(folder, _folder(at))


def _folder(at: tuple[str, ...]) -> Path:
    return paths.LOCAL.joinpath(_FOLDERS, *at[:1], "-".join(at[1:]))


def _copy(folder: ModuleFolder, target: Path) -> None:
    """Copies a folder out of its module, whose own is the module cache's and only to be read."""
    source = golang.module_file(folder.module, folder.folder, pinned_in=folder.pinned_in)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    for it in (target, *target.rglob("*")):
        it.chmod(0o755 if it.is_dir() else 0o644)
    if folder.template:
        values = Template((target / "values.tmpl.yaml").read_text()).substitute(folder.template)
        (target / "values.yaml").write_text(values)
    if folder.without_dependencies:
        (target / "Chart.lock").unlink(missing_ok=True)
        chart = target / "Chart.yaml"
        chart.write_text("".join(_without("dependencies:", chart.read_text())))


def _without(key: str, text: str) -> Iterator[str]:
    """Yields the lines of a YAML file without a block of the outermost level."""
    inside = False
    for line in text.splitlines(keepends=True):
        if not line.startswith((" ", "-", "\n", "#")):
            inside = line.startswith(key)
        if not inside:
            yield line


def _put(tree: Json, at: tuple[str, ...], value: str) -> None:
    *blocks, last = at
    for key in blocks:
        tree = tree.setdefault(key, {})
    tree[last] = value


def _has(tree: Json, at: tuple[str, ...]) -> bool:
    return at[-1] in part(tree, *at[:-1])
