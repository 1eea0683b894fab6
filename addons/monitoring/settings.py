"""The settings of the metrics and alerts."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from components.values.addresses import HttpAddress
from components.values.image_reference import ImageReference
from components.values.names import DnsLabel, ObjectName
from components.values.quantities import ByteQuantity, quantity_value
from components.values.resources import Resources
from components.values.text import Between, Matching
from components.values.value import Value


class MonitoringImages(Value):
    """The images, all of them published by their projects."""

    prometheus: ImageReference = "quay.io/prometheus/prometheus:v3.16.0"
    alertmanager: ImageReference = "quay.io/prometheus/alertmanager:v0.28.1"
    state_metrics: ImageReference = "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.20.0"


class NobodyNotified(Value):
    """Alerts are seen in Prometheus and Alertmanager alone."""

    mode: Literal["none"] = "none"


class WebhookNotified(Value):
    """Alerts are posted to an address, as Alertmanager's webhooks are."""

    mode: Literal["webhook"]
    url: HttpAddress = Field(
        description="One that is a secret itself, such as Slack's, belongs into mode secret"
    )


class SecretNotified(Value):
    """Alerts go where Alertmanager's own configuration says, which a Secret has."""

    mode: Literal["secret"]
    name: ObjectName = Field(
        description="A Secret in the namespace monitoring, whose key alertmanager.yml is the whole "
        "configuration"
    )


Notified = Annotated[NobodyNotified | WebhookNotified | SecretNotified, Field(discriminator="mode")]


_MEBIBYTE = 1024**2
_Document = Annotated[
    str,
    # What stands in the files of the alerts, where YAML and templates give more a meaning.
    Matching(
        pattern=r"[A-Za-z0-9./][^\s#'\"{}\\]*",
        allowed="an address or a path without blanks, quotes, braces and #",
    ),
]


class StorageSettings(Value):
    """The volume with the metrics."""

    size: ByteQuantity = Field(
        default="2Gi", description="The oldest metrics go when four fifths of it are used"
    )
    days: Annotated[int, Between(1, 400), Field(description="How long they are kept at most")] = 15
    storage_class: ObjectName | None = Field(default=None, description="None: the default class")

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        # Up to three segments of 128 MiB are written ahead of the first block.
        if quantity_value(self.size) < 512 * _MEBIBYTE:
            raise ValueError(f"expected size ({self.size}) of at least 512Mi")
        return self


class MonitoringSettings(Value):
    """Prometheus, Alertmanager and kube-state-metrics."""

    images: MonitoringImages = MonitoringImages()
    notify: Notified = NobodyNotified()
    runbooks: _Document = Field(
        default="docs/troubleshooting.md",
        description="Where docs/troubleshooting.md is shown, to which every alert links: the "
        "address of this file in your repository's web pages",
    )
    storage: StorageSettings = StorageSettings()
    asked_from: list[DnsLabel] = Field(
        default=[], description="Namespaces whose pods may ask Prometheus, such as Grafana's"
    )
    prometheus_resources: Resources = Resources(
        cpu_request="50m", cpu_limit="1", memory_request="128Mi", memory_limit="512Mi"
    )
