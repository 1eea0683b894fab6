"""The settings of metrics-server."""

from pydantic import Field

from addons.settings.chart import Chart
from components.values.image_reference import ImageReference
from components.values.resources import Resources
from components.values.value import Value

CHART = Chart(
    name="metrics-server",
    version="3.13.1",
    repository="https://kubernetes-sigs.github.io/metrics-server/",
)


class MetricsServerSettings(Value):
    """metrics-server, by its official chart."""

    image: ImageReference = "registry.k8s.io/metrics-server/metrics-server:v0.9.0"
    chart: Chart = CHART
    kubelet_insecure_tls: bool = Field(
        default=False,
        strict=True,
        description="true: do not verify the kubelets' certificates, which local clusters sign "
        "themselves",
    )
    resources: Resources = Resources(
        cpu_request="20m", cpu_limit="500m", memory_request="48Mi", memory_limit="128Mi"
    )
