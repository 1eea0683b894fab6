"""The settings that say which cluster to deploy to."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from components.values.addresses import Cidr, PodCidr
from components.values.names import HostName
from components.values.text import Matching, Text
from components.values.value import Value

# Minikube takes host names (pkg/minikube/config/profile.go), kind and k3d lower-case ones.
_ClusterName = Annotated[
    str,
    Matching(
        pattern=r"[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?",
        allowed="a cluster's name: up to 63 letters, digits, '.' and '-', with a letter or a digit "
        "at either end",
    ),
]
NAMED_PROVIDERS = ("minikube", "kind", "k3d")
"""Tools that keep several clusters side by side, each under a name."""


class ClusterSettings(Value):
    """Which cluster to deploy to."""

    kind: Literal["local", "managed"] = Field(
        description="local: a development cluster on this machine; managed: any other"
    )
    provider: Literal["auto", "minikube", "kind", "k3d", "dockerDesktop", "embedded", "context"] = (
        Field(
            default="auto",
            description="What makes the local cluster. auto: the one of context, else what `make "
            "up` finds on this machine; context: the one of context, whatever made it",
        )
    )
    name: _ClusterName | None = Field(
        default=None,
        description="Minikube's profile, kind's or k3d's cluster; none: minikube, or todo with "
        "kind and k3d",
    )
    kubeconfig: Text | None = Field(default=None, description="Path; none: the ambient kubeconfig")
    context: Text | None = Field(default=None, description="None: the kubeconfig's current context")
    node_address: HostName = Field(
        default="127.0.0.1", description="Address of a node, for the URLs of NodePorts"
    )
    pod_cidr: PodCidr | None = Field(
        default=None,
        description="Addresses of pods: what is open to the outside stays closed to other "
        "namespaces; none: it is open to them too",
    )
    dns_cidrs: Annotated[tuple[Cidr, ...], Field(max_length=16)] = Field(
        default=("169.254.20.10/32",),
        description="Addresses of name servers that are no pods of kube-system: NodeLocal DNSCache",
    )

    @model_validator(mode="after")
    def _provider_fits(self) -> Self:
        if self.kind == "managed" and self.provider not in ("auto", "context"):
            raise ValueError(
                f"expected provider auto or context with kind managed: {self.provider} makes "
                "clusters on this machine (kind local)"
            )
        if self.name and (
            self.kind == "managed" or self.provider not in ("auto", *NAMED_PROVIDERS)
        ):
            raise ValueError(
                "expected a name only with kind local and provider auto, minikube, kind or k3d, "
                f"but provider is {self.provider} and kind {self.kind}"
            )
        return self
