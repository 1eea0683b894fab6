"""The PostgreSQL of the tests once more, as another image: what a minor update brings."""

import tempfile
from pathlib import Path

from distribution import stand_ins
from distribution.addon_parts import OPERATORS_POSTGRES
from distribution.cluster import images
from toolchain import paths


def ensure_rebuilt_postgres() -> str:
    """Returns the image; it is built where the node's store has none (a second)."""
    former = stand_ins.reference(OPERATORS_POSTGRES)
    image = f"{former}-rebuilt"
    if image not in (images.present() or set[str]()):
        with tempfile.TemporaryDirectory() as context:
            Path(context, "Dockerfile").write_text(f"FROM {former}\nLABEL rebuilt=true\n")
            images.build(paths.BIN, Path(context), image)
    return image
