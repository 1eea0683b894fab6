"""The settings of the development store."""

from components.values.image_reference import ImageReference
from components.values.resources import Resources
from components.values.value import Value


class DevelopmentStoreSettings(Value):
    """moto, which answers as AWS Secrets Manager does; for a local cluster alone."""

    image: ImageReference = "docker.io/motoserver/moto:5.2.5"
    resources: Resources = Resources(
        cpu_request="10m", cpu_limit="500m", memory_request="96Mi", memory_limit="256Mi"
    )
