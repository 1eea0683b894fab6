"""The settings that say which cluster has the add-ons."""

from typing import Literal

from pydantic import Field

from components.values.text import Text
from components.values.value import Value


class ClusterSettings(Value):
    """Which cluster has the add-ons."""

    kind: Literal["local", "managed"] = Field(
        description="local: that of the application's stack of the same name, which `make addons` "
        "starts or makes; managed: any other"
    )
    kubeconfig: Text | None = Field(default=None, description="Path; none: the ambient kubeconfig")
    context: Text | None = Field(default=None, description="None: the kubeconfig's current context")
