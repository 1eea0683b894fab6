"""The settings of the PostgreSQL operator."""

from pydantic import Field

from components.values.image_reference import ImageReference
from components.values.resources import Resources
from components.values.text import Text
from components.values.value import Value

_SOURCES = "https://raw.githubusercontent.com/cloudnative-pg/cloudnative-pg/v1.30.0/config"


class PostgresOperatorSettings(Value):
    """The CloudNativePG operator."""

    image: ImageReference = "ghcr.io/cloudnative-pg/cloudnative-pg:1.30.0"
    sources: Text = Field(
        default=_SOURCES,
        description="The folder `config` of its sources, with its definitions, its rights and its "
        "webhooks: a URL, or a folder relative to addons/",
    )
    resources: Resources = Resources(
        cpu_request="20m", cpu_limit="500m", memory_request="96Mi", memory_limit="256Mi"
    )
