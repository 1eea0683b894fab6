"""The settings of a Helm chart."""

from pydantic import Field

from components.values.text import Text
from components.values.value import Value


class Chart(Value):
    """Where a Helm chart comes from: its repository, or a folder where no repository answers."""

    name: Text = Field(description="Its name in the repository, or an oci:// address")
    version: Text
    repository: Text | None = Field(default=None, description="None: the name is an address")
    path: Text | None = Field(
        default=None,
        description="A folder with the chart, relative to addons/, instead of the repository",
    )
