"""Which migrations this release knows, and how the database compares."""

from functools import lru_cache
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory


def alembic_config() -> Config:
    """Returns Alembic's configuration; no alembic.ini is needed."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


@lru_cache
def known_revisions() -> tuple[str, ...]:
    """Returns this release's revisions, the newest ("head") first."""
    return tuple(
        script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()
    )


def state(revision: str | None) -> str:
    """Says how a database at ``revision`` compares with this release.

    "newer" is a revision this release has never heard of: a later release migrated while this
    one still runs, or this one was rolled back to. Migrations expand first and contract one
    release later, so this release keeps working.
    """
    if revision is None:
        return "empty"
    if revision == known_revisions()[0]:
        return "current"
    return "older" if revision in known_revisions() else "newer"
