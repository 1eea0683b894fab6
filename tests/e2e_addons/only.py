"""Leaves in the add-ons' stack file no part but those that are named.

    python -m tests.e2e_addons.only localAuthority registry logs

The first part of what CI does with the add-ons (`.ci/run`): it has not the time for all of them.
"""

import sys

import yaml

from addons.settings.parse import KEY
from tests.e2e_addons.addons import FILE


def main(*parts: str) -> None:
    """Writes the file."""
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    settings = document["config"][KEY.name]
    document["config"][KEY.name] = {key: settings[key] for key in ("cluster", *parts)}
    FILE.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
