"""The settings of the gateway."""

from typing import Annotated, Literal, Self, assert_never

from pydantic import AfterValidator, Field, model_validator

from addons.local_authority.permitted import DOMAINS, is_permitted
from addons.settings.chart import Chart
from components.values.image_reference import ImageReference
from components.values.names import LabelKey, ObjectName, PublicHost
from components.values.quantities import NodePortNumber, Port, Replicas
from components.values.resources import Resources
from components.values.text import Between, Text
from components.values.value import Value

HTTP_NODE_PORT, HTTPS_NODE_PORT = 30080, 30443
PRESENT = "present"
"""Instead of where definitions come from: whoever made the cluster has brought them."""
_FIVE_MINUTES, _YEAR, _TWO_YEARS = 300, 31_536_000, 63_072_000
"""Seconds; two years are what browsers' lists ask for (hstspreload.org)."""


def _local(host: str) -> str:
    if not is_permitted(host):
        raise ValueError(
            f"expected a host that ends with .{', .'.join(DOMAINS)}; for others take "
            "mode certManager or existing"
        )
    return host


class GatewayImages(Value):
    """What runs: the controller, and the proxies that it makes."""

    controller: ImageReference = "docker.io/envoyproxy/gateway:v1.9.1"
    proxy: ImageReference = "docker.io/envoyproxy/envoy:distroless-v1.39.1"


class Definitions(Value):
    """The CustomResourceDefinitions: addresses or folders; `present`: the cluster has them."""

    gateway_api: Text = (
        "https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.6.1/"
        "standard-install.yaml"
    )
    envoy_gateway: Text = (
        "https://github.com/envoyproxy/gateway/releases/download/v1.9.1/envoy-gateway-crds.yaml"
    )


class NodePorts(Value):
    """Reachable on fixed ports of every node that runs a proxy."""

    mode: Literal["nodePorts"] = "nodePorts"
    http: NodePortNumber = HTTP_NODE_PORT
    https: NodePortNumber = HTTPS_NODE_PORT

    @model_validator(mode="after")
    def _are_two(self) -> Self:
        if self.http == self.https:
            raise ValueError(f"expected two ports, not {self.http} for both http and https")
        return self


class LoadBalancer(Value):
    """Reachable on ports 80 and 443 of the provider's load balancer."""

    mode: Literal["loadBalancer"] = "loadBalancer"
    annotations: dict[LabelKey, Text] = Field(
        default={}, description="Of the Service, by which the provider's controller goes"
    )


class LocalCertificate(Value):
    """Signed by the local authority, whose block has to be there too."""

    mode: Literal["local"] = "local"
    hosts: Annotated[tuple[Annotated[PublicHost, AfterValidator(_local)], ...], Field(min_length=1)]
    number: Annotated[int, Between(0, 999_999)] = Field(
        default=0, description="Another number makes another key and certificate, at once"
    )


class CertManagerCertificate(Value):
    """Made and renewed by cert-manager, which the cluster has."""

    mode: Literal["certManager"] = "certManager"
    hosts: Annotated[tuple[PublicHost, ...], Field(min_length=1)]
    issuer: ObjectName
    issuer_kind: Literal["ClusterIssuer", "Issuer"] = "ClusterIssuer"


class ExistingCertificate(Value):
    """A TLS Secret that somebody else keeps in the gateway's namespace."""

    mode: Literal["existing"] = "existing"
    secret: ObjectName


Exposure = Annotated[NodePorts | LoadBalancer, Field(discriminator="mode")]
Certificate = Annotated[
    LocalCertificate | CertManagerCertificate | ExistingCertificate, Field(discriminator="mode")
]


class GatewaySettings(Value):
    """Envoy Gateway by its official chart, and one Gateway that every namespace may use."""

    images: GatewayImages = GatewayImages()
    chart: Chart = Chart(name="oci://docker.io/envoyproxy/gateway-helm", version="v1.9.1")
    definitions: Definitions = Definitions()
    exposure: Exposure = LoadBalancer()
    certificate: Certificate
    hsts_seconds: Annotated[int, Between(0, _TWO_YEARS)] | None = Field(
        default=None,
        description="For how long browsers are to ask over HTTPS alone, on every port of the host; "
        "0: they are not told; none: a year, with a local certificate five minutes",
    )
    replicas: Replicas = Field(default=2, description="Proxies")
    proxy_resources: Resources = Resources(
        cpu_request="50m", cpu_limit="1", memory_request="96Mi", memory_limit="256Mi"
    )
    controller_resources: Resources = Resources(
        cpu_request="50m", cpu_limit="1", memory_request="128Mi", memory_limit="512Mi"
    )


def https_port(exposure: Exposure) -> Port:
    """Returns the port that a browser asks over TLS."""
    match exposure:
        case NodePorts():
            return exposure.https
        case LoadBalancer():
            return 443
        case _:
            assert_never(exposure)


def node_ports(exposure: Exposure) -> list[int]:
    """Returns the ports of every node that lead in, of which a cluster has each once."""
    match exposure:
        case NodePorts():
            return [exposure.http, exposure.https]
        case LoadBalancer():
            return []
        case _:
            assert_never(exposure)


def hsts_seconds(settings: GatewaySettings) -> int:
    """Returns for how long browsers are to ask over HTTPS alone."""
    if settings.hsts_seconds is not None:
        return settings.hsts_seconds
    return _FIVE_MINUTES if isinstance(settings.certificate, LocalCertificate) else _YEAR


def definition_sources(definitions: Definitions) -> dict[str, str]:
    """Returns where those definitions come from that are not there, by whose they are."""
    sources = {"gateway-api": definitions.gateway_api, "envoy-gateway": definitions.envoy_gateway}
    return {name: source for name, source in sources.items() if source != PRESENT}
