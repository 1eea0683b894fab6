"""What `make up` found out for one copy of the application, for another one."""

import json
from typing import Any

from tests.e2e.deployment import PROJECT, Deployment
from toolchain import findings


def found_for(settings: dict[str, Any], like: Deployment) -> str:
    """Returns the file with what was found out, as JSON.

    Args:
        settings: The other copy's.
        like: The first copy, whose cluster and images the other shares.
    """
    found = json.loads((PROJECT / f".local/settings.{like.stack}.json").read_text())
    # A block that is there chooses the exporter, with or without metrics.
    if settings["database"].get("exporter") is None:
        found["database"].pop("exporter", None)
    return json.dumps(findings.told(found, settings))
