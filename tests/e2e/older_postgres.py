"""PostgreSQL 15 in the node's store: Debian bookworm's, with the very contract of the stand-in."""

import shutil
import tempfile
from pathlib import Path

from components.todo.names import LOADED_IMAGES
from distribution.cluster import images
from toolchain import paths

MAJOR = 15
IMAGE = f"{LOADED_IMAGES}/postgres:{MAJOR}-bookworm-e2e"


def ensure_older_postgres() -> str:
    """Returns the image; it is built where the node's store has none (about half a minute)."""
    if IMAGE in (images.present() or set[str]()):
        return IMAGE
    with tempfile.TemporaryDirectory() as scratch:
        context = Path(scratch, "postgres")
        shutil.copytree(images.FOLDER / "postgres", context)
        dockerfile = context / "Dockerfile"
        text = dockerfile.read_text(encoding="utf-8")
        assert "/postgresql/17/" in text
        dockerfile.write_text(
            text.replace("/postgresql/17/", f"/postgresql/{MAJOR}/"), encoding="utf-8"
        )
        packages = (f"postgresql-{MAJOR}", f"postgresql-client-{MAJOR}", "passwd", "findutils")
        # openssl, with which the server makes its certificate, comes with the server.
        images.rootfs("postgres-older", packages, context / "rootfs.tar", release="bookworm")
        images.build(paths.BIN, context, IMAGE)
    return IMAGE
