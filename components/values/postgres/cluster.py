"""What those who declare a PostgreSQL cluster of an operator may say of it."""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

from ..image_reference import ImageReference
from ..object_store import ObjectStore
from .backup import Drill

CLUSTER_IMAGE = "ghcr.io/cloudnative-pg/postgresql:17.12-system-trixie"
"""CloudNativePG's own image with Barman, the minor version that the StatefulSet's has, too."""
OPERATOR_NAMESPACE = "postgres-operator"
"""Where the operator is, if nobody says otherwise."""
MOST_INSTANCES = 3
"""With one standby to be synchronous and one to spare; more would be copies for reading."""
LATEST_BASE_DAYS = 30
"""How long what is needed to go back to a moment is kept."""


@dataclass(frozen=True, kw_only=True)
class ContinuousBackup:
    """Base backups and the write-ahead log in an object store: recovery to any moment between."""

    store: ObjectStore
    schedule: str = "17 3 * * *"
    """Cron line of the base backups, in UTC; the log follows within five minutes by itself."""
    keep_days: int = LATEST_BASE_DAYS
    """To moments of how many days one can go back."""
    drill: Drill | None = None
    """None: no schedule proves that it can be recovered."""


def _check_image(image: str) -> str:
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    if not re.match(r"\d+", tag):
        raise ValueError(
            "expected a tag that begins with PostgreSQL's version, by which the operator knows it, "
            f"such as {CLUSTER_IMAGE} (a digest may follow)"
        )
    return image


ClusterImage = Annotated[ImageReference, AfterValidator(_check_image)]
