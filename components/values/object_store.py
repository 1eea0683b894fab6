"""ObjectStore: a folder of an S3 bucket, and how pods reach it."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from .addresses import Cidr, HttpAddress, holds
from .certificates import check_bundle
from .text import Matching
from .value import Value

_PART = "[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
_HTTPS_PORT = 443


def _https_without_path(value: str) -> str:
    url = urlsplit(value)
    if url.scheme != "https":
        # The credentials of a request are signed, and so safe; which objects there are is not.
        raise ValueError("expected an https address: what goes to the store crosses networks")
    if url.path.strip("/"):
        raise ValueError(
            "expected an address without a path: bucket and prefix are settings of their own"
        )
    return value.rstrip("/")


# Amazon S3 user guide, "General purpose bucket naming rules"; and '_', which Google's stores know.
BucketName = Annotated[
    str,
    Matching(
        pattern="[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]",
        longest=63,
        allowed="a bucket's name: 3 to 63 lower-case letters, digits, and '-', '_' or '.' between "
        "them",
    ),
]
StoreEndpoint = Annotated[HttpAddress, AfterValidator(_https_without_path)]
"""Where an S3 store answers; over TLS alone."""


class ObjectStore(Value):
    """A folder of an S3 bucket, and how pods reach it. The credentials are secrets of their own."""

    bucket: BucketName = Field(description="It has to be there; nobody makes one")
    endpoint: StoreEndpoint = Field(
        description="Where the store answers, e.g. https://s3.eu-central-1.amazonaws.com"
    )
    region: Annotated[
        str,
        Matching(
            pattern="[a-z0-9]([a-z0-9-]*[a-z0-9])?",
            longest=63,
            allowed="a region such as eu-central-1: lower-case letters, digits and '-'",
        ),
    ] = Field(default="us-east-1", description="As the store calls it; many know this one alone")
    prefix: Annotated[
        str,
        Matching(
            pattern=f"{_PART}(/{_PART})*",
            longest=256,
            allowed="a folder such as shop/production: letters, digits, '-', '_', '.', and '/' "
            "between its parts",
        ),
    ] = Field(description="The stack's own folder in the bucket; what is beside it is others'")
    ca_bundle: str | None = Field(
        default=None,
        description="PEM text of the authorities of the store's certificate; none: public ones",
    )
    cidr: Cidr = Field(default="0.0.0.0/0", description="Addresses pods may reach the store at")

    @model_validator(mode="after")
    def _may_be_reached(self) -> Self:
        if self.ca_bundle is not None:
            # Here and not at the field, whose errors show the value: it might be a private key.
            check_bundle(self.ca_bundle)
        if not holds(self.cidr, self.host):
            raise ValueError(
                f"expected cidr ({self.cidr}) to hold the endpoint's host ({self.host}), since "
                f"pods reach the store at no other address: set cidr to {self.host}/32"
            )
        return self

    @property
    def host(self) -> str:
        """The host that answers."""
        return urlsplit(self.endpoint).hostname or ""

    @property
    def port(self) -> int:
        """The port that it answers on."""
        return urlsplit(self.endpoint).port or _HTTPS_PORT

    @property
    def shown(self) -> str:
        """Where backups are, as a person reads it."""
        return f"{self.endpoint}/{self.bucket}/{self.prefix}"
