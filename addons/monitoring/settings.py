"""The settings of the metrics and alerts."""

from typing import Annotated, Literal

from pydantic import Field

from components.values.addresses import HttpAddress
from components.values.image_reference import ImageReference
from components.values.names import DnsLabel, ObjectName
from components.values.quantities import ByteQuantity
from components.values.resources import Resources
from components.values.text import Between, Text
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


class StorageSettings(Value):
    """The volume with the metrics."""

    size: ByteQuantity = Field(
        default="2Gi", description="The oldest metrics go when four fifths of it are used"
    )
    days: Annotated[int, Between(1, 400), Field(description="How long they are kept at most")] = 15
    storage_class: ObjectName | None = Field(default=None, description="None: the default class")


class MonitoringSettings(Value):
    """Prometheus, Alertmanager and kube-state-metrics."""

    images: MonitoringImages = MonitoringImages()
    notify: Notified = NobodyNotified()
    runbooks: Text = Field(
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
