"""A Pulumi state of its own, so that no stack of a measurement gets among a person's."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def own_state() -> Generator[Path]:
    """Gives Pulumi an empty state, and returns a folder beside it; both are gone at the end."""
    before = dict(os.environ)
    with TemporaryDirectory(prefix="todo-bench-") as name:
        folder, state = Path(name, "project"), Path(name, "state")
        folder.mkdir()
        state.mkdir()
        os.environ |= {
            "PULUMI_BACKEND_URL": state.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "of stacks that live for some minutes",
        }
        os.environ.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
        try:
            yield folder
        finally:
            os.environ.clear()
            os.environ |= before
