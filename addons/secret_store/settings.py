"""The settings of the secret store."""

from typing import Annotated

from pydantic import Field

from addons.settings.chart import Chart
from components.values.addresses import HttpAddress
from components.values.image_reference import ImageReference
from components.values.names import LabelKey, ObjectName
from components.values.resources import Resources
from components.values.text import Text
from components.values.value import Value

_SOURCES = "https://raw.githubusercontent.com/external-secrets/external-secrets/v0.16.2"
CHART = Chart(
    name="external-secrets", version="0.16.2", repository="https://charts.external-secrets.io"
)


class AwsCredentials(Value):
    """A Secret that something else keeps, with `access-key-id` and `secret-access-key`."""

    name: ObjectName
    namespace: ObjectName


class AwsSecretsManager(Value):
    """A store that applications name: AWS Secrets Manager."""

    name: ObjectName = Field(description="What stacks say in secrets.store")
    region: Text
    role: Text | None = Field(default=None, description="ARN of a role to take on")
    credentials: AwsCredentials | None = Field(
        default=None, description="None: the operator's own, by serviceAccountAnnotations"
    )
    endpoint: HttpAddress | None = Field(
        default=None, description="Another than AWS's own, such as a VPC's or a stand-in's"
    )
    namespaces: Annotated[tuple[ObjectName, ...], Field(min_length=1, max_length=64)] = Field(
        description="Namespaces whose ExternalSecrets may read from it"
    )


class SecretStoreSettings(Value):
    """The External Secrets Operator, by its official chart."""

    image: ImageReference = "oci.external-secrets.io/external-secrets/external-secrets:v0.16.2"
    chart: Chart = CHART
    definitions: Text = Field(
        default=f"{_SOURCES}/deploy/crds/bundle.yaml",
        description="CustomResourceDefinitions: a URL, or a folder relative to addons/",
    )
    aws: AwsSecretsManager | None = Field(
        default=None, description="None: somebody else declares the stores that are used"
    )
    service_account_annotations: dict[LabelKey, Text] = Field(
        default={}, description="Of the operator, such as eks.amazonaws.com/role-arn"
    )
    resources: Resources = Field(
        default=Resources(
            cpu_request="10m", cpu_limit="300m", memory_request="48Mi", memory_limit="192Mi"
        ),
        description="Of each of its three pods",
    )
