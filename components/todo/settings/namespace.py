"""The settings of the namespace."""

from typing import Self

from pydantic import Field, field_validator, model_validator

from components.values.names import DnsLabel, NamespaceLabels
from components.values.value import Value


class NamespaceSettings(Value):
    """The namespace that holds everything."""

    name: DnsLabel = "todo-app"
    adopt: bool = Field(
        default=False,
        strict=True,
        description="true: deploy into a namespace that is there already and stays as it is: no "
        "labels, quota or limits, and policies for the stack's own pods only",
    )
    labels: NamespaceLabels = Field(
        default={}, description="More labels, by which controllers choose namespaces"
    )

    @field_validator("name")
    @classmethod
    def _not_the_clusters_own(cls, name: str) -> str:
        # Names from kube- on are reserved (Kubernetes: Namespaces, "Initial namespaces").
        if name == "default" or name.startswith("kube-"):
            raise ValueError(
                "expected a namespace of the application's own, such as todo-app: default and all "
                "that begin with kube- are the cluster's"
            )
        return name

    @model_validator(mode="after")
    def _labels_of_its_own(self) -> Self:
        if self.adopt and self.labels:
            raise ValueError("expected no labels with adopt true: such a namespace stays as it is")
        return self
