"""Writes docs/addon-settings.md, which follows from the settings.

Run `python -m addons.settings.table` after a change of them; a test checks that it was done.
"""

from pathlib import Path

from pydantic.json_schema import models_json_schema

from addons.settings.settings import AddonsSettings
from stack_settings.tables import settings_tables

TABLE = "docs/addon-settings.md"
_HEAD = """\
# Settings of the add-ons

<!-- Written by `python -m addons.settings.table`; edit the settings.py of the parts in addons/. -->

All settings are in one key, `todo-addons:settings`, in `addons/Pulumi.<stack>.yaml`.
[addons.md](addons.md) describes the parts; `addons/Pulumi.minikube.yaml` and
`addons/Pulumi.cloud.yaml` are examples. A block that is given in part keeps the rest of its
default.

On a local cluster the file `.local/settings.addons.<stack>.json`, which `make addons` writes and
git ignores, fills what the chosen parts leave open; on the embedded cluster `registry.hosts`, too.
It never replaces anything: where both say something and differ, `pulumi` names both places and
changes nothing.
"""


def settings_table() -> str:
    """Returns the document."""
    _, schema = models_json_schema([(AddonsSettings, "validation")], by_alias=True)
    return _HEAD.rstrip() + settings_tables(schema["$defs"], AddonsSettings.__name__) + "\n"


def main() -> None:
    """Writes it."""
    (Path(__file__).parents[2] / TABLE).write_text(settings_table(), encoding="utf-8")


if __name__ == "__main__":
    main()
