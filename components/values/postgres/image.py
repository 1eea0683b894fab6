"""The image of a PostgreSQL server, and what its tag says about the data it reads."""

import re
from typing import Annotated

from pydantic import AfterValidator

from ..image_reference import ImageReference

DEFAULT_IMAGE = "docker.io/library/postgres:17.12-trixie"
"""Minor version and base system are fixed: another system sorts text differently, under indexes
that were built with the former order (docker-library/postgres#1356). The minor version is the one
that Debian trixie has as well: an older one would be a step back for servers that ran the floating
tag."""
EXPORTER_IMAGE = "quay.io/prometheuscommunity/postgres-exporter:v0.17.1"
"""Reads a server's metrics; the version that Debian trixie has as well."""
RESTIC_IMAGE = "docker.io/restic/restic:0.18.0"
"""Brings backups to an object store; the version that Debian trixie has as well."""
NEWEST_MAJOR = 17
"""From 18 on the official image wants its volume elsewhere (docker-library/postgres#1259)."""

_BY_NAME = re.compile(r"(?:^|[-_.])(?:pg|postgres(?:ql)?-?)(\d{1,3})(?!\d)")
"""As images with extensions say it, e.g. `pg17` or `2.17.2-pg17`, whose first number is not its."""
_MAJOR = re.compile(r"v?(\d{1,3})(?:[.-].*|(?:alpha|beta|rc)\d*.*)?")


def image_traits(image: str) -> dict[str, str]:
    """Returns major version and kind of system, as far as an image's tag says them."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    major = _BY_NAME.search(tag) or _MAJOR.fullmatch(tag)
    found = {"major": major.group(1)} if major else {}
    return {**found, "system": "alpine" if "alpine" in tag else "debian"} if tag else found


def check_image(image: str) -> str:
    """Returns the image.

    Raises:
        ValueError: The pod is not made for it.
    """
    traits = image_traits(image)
    if int(traits.get("major", 0)) > NEWEST_MAJOR:
        raise ValueError(
            f"expected PostgreSQL up to {NEWEST_MAJOR}, such as {DEFAULT_IMAGE}; from 18 on the "
            "official image keeps its data elsewhere"
        )
    if traits.get("system") == "alpine":
        raise ValueError(
            f"expected an image based on Debian, such as {DEFAULT_IMAGE}; Alpine's has another "
            "user (70 instead of 999) and sorts text differently"
        )
    return image


PostgresImage = Annotated[ImageReference, AfterValidator(check_image)]
