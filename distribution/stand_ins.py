"""Images of the add-ons where no registry answers: built into the embedded cluster's own store."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.todo.names import LOADED_IMAGES
from distribution import recipes, store
from distribution.cluster import images
from toolchain import files, paths, ui

_FOLDERS = paths.PROJECT / "distribution" / "addon_images"


@dataclass(frozen=True, kw_only=True)
class StandIn:
    """An image that does what an official one does.

    Its Dockerfile finds beside it what is named here: the recipe's programs, `rootfs.tar` with the
    packages, `wheel.tar` with the wheel's files, and this machine's `ca-certificates.crt`.
    """

    folder: str
    """Name of the image, and of its folder below `addon_images/`."""
    official: str
    """The published image, which the settings name by default."""
    recipe: str | None = None
    """Recipe of programs that are built from Go modules."""
    packages: tuple[str, ...] = ()
    """Debian packages."""
    wheel: str | None = None
    """A wheel from PyPI, as pip takes it."""


def reference(image: StandIn) -> str:
    """Returns the image's reference in the store.

    Its tag follows from everything that it is made from, so whatever changes is built anew and
    rolled out, and what has not changed stays.
    """
    digest = hashlib.sha256(repr((images.DEBIAN, image)).encode())
    if image.recipe:
        digest.update(recipes.output(image.recipe).name.encode())
    digest.update(images.content(_FOLDERS / image.folder))
    version = image.official.rpartition(":")[2]
    return f"{LOADED_IMAGES}/addon-{image.folder}:{version}-{digest.hexdigest()[:12]}"


def ensure(bin_dir: Path, wanted: Sequence[StandIn]) -> None:
    """Builds the images that are not in the store.

    Args:
        bin_dir: Folder of BuildKit's `buildctl`.
        wanted: The images.

    Raises:
        Failure: Something that one is made from cannot be had, or a build failed.
    """
    there = images.present() or set[str]()
    absent = [image for image in wanted if reference(image) not in there]
    if not absent:
        return
    recipes.build_missing(list(dict.fromkeys(it.recipe for it in absent if it.recipe)))
    for image in absent:
        ui.say(f"  {image.official}: no registry answers, building an equivalent")
        with tempfile.TemporaryDirectory() as scratch:
            context = Path(scratch, image.folder)
            shutil.copytree(_FOLDERS / image.folder, context)
            _collect(image, context)
            images.build(bin_dir, context, reference(image))


def _collect(image: StandIn, context: Path) -> None:
    """Puts what the Dockerfile adds beside it."""
    if image.recipe:
        built = recipes.build(image.recipe)
        for program in recipes.RECIPES[image.recipe].files:
            files.link_or_copy(built / program, context / program)
    kept = _archives(image)
    for archive in _archive_names(image):
        files.link_or_copy(kept / archive, context / archive)
    bundle = context / "ca-certificates.crt"
    if images.CA_BUNDLE.exists():
        shutil.copy2(images.CA_BUNDLE, bundle)
    else:
        bundle.touch()


def _archive_names(image: StandIn) -> tuple[str, ...]:
    return (*(["rootfs.tar"] if image.packages else []), *(["wheel.tar"] if image.wheel else []))


def _archives(image: StandIn) -> Path:
    """Returns the folder with the archives of an image, which are kept as base images' are."""
    names = _archive_names(image)
    made_from = repr((images.DEBIAN, image.packages, image.wheel))
    thing = store.place(f"addon-{image.folder}", hashlib.sha256(made_from.encode()).hexdigest())

    def make(staged: Path) -> None:
        if image.packages:
            images.rootfs(image.folder, image.packages, staged / "rootfs.tar")
        if image.wheel:
            _unpack(image.wheel, staged / "wheel.tar")

    store.provide(thing, names, make, mode=0o644)
    return thing


def _unpack(wheel: str, target: Path) -> None:
    """Fetches a wheel, and packs its files as a Dockerfile's ADD unpacks them."""
    with tempfile.TemporaryDirectory() as scratch:
        images.fetch_wheel(wheel, Path(scratch))
        file = next(Path(scratch).glob("*.whl"))
        with zipfile.ZipFile(file) as archive, tarfile.open(target, "w") as tar:
            for member in (it for it in archive.infolist() if not it.is_dir()):
                entry = tarfile.TarInfo(member.filename)
                entry.size, entry.mode = member.file_size, member.external_attr >> 16 & 0o777
                with archive.open(member) as content:
                    tar.addfile(entry, content)
