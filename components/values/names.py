"""Names of Kubernetes objects, hosts, labels and annotations.

The rules are those of k8s.io/apimachinery/pkg/util/validation.
"""

import ipaddress
import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from .text import Matching, as_text

_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
# Unlike in a host's name, the parts of an object's name may be long.
_PART = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_NAME = "[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_QUALIFIED = re.compile(rf"((?=[^/]{{1,253}}/){_PART}(\.{_PART})*/)?{_NAME}")
_MOST_ANNOTATIONS = 200 * 1024
"""Bytes, of the 256 KiB that the API server takes; the rest is for what the program adds."""


def _no_number(host: str) -> str:
    if host.rpartition(".")[2].isdecimal():
        raise ValueError("expected a host name such as shop.example.com, not an address")
    return host


def _host_or_address(host: str) -> str:
    if host.rpartition(".")[2].isdecimal():
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise ValueError("expected a host name or an IPv4 address such as 10.1.2.3") from None
    return host


def _not_the_pod_itself(host: str) -> str:
    # RFC 6761, "localhost."; 127.0.0.0/8 and 0.0.0.0: RFC 6890.
    if host.rpartition(".")[2] == "localhost" or host.startswith(("127.", "0.")):
        raise ValueError(
            "expected a host that pods can reach; in a pod this is the pod itself, so for a "
            "service on this machine give the machine's address as the cluster sees it"
        )
    return host


def _qualified(key: str) -> str:
    if not _QUALIFIED.fullmatch(key):
        raise ValueError(
            "expected a key such as example.com/name: up to 63 letters, digits, '-', '_' or '.', "
            "optionally after a DNS name and a slash"
        )
    return key


def _namespace_labels(labels: Mapping[str, str]) -> Mapping[str, str]:
    for key in labels:
        prefix = key.rpartition("/")[0]
        if prefix in {"pod-security.kubernetes.io", "app.kubernetes.io"} or key == (
            "kubernetes.io/metadata.name"
        ):
            raise ValueError(f"expected no label {key}: the program or Kubernetes itself sets it")
    return labels


def _value(value: object) -> str:
    text = as_text(value)
    # Some controllers take whole files as an annotation.
    if not text.replace("\n", "").replace("\t", "").isprintable():
        raise ValueError("expected text without control characters other than line ends and tabs")
    return text


def _ingress_annotations(annotations: Mapping[str, str]) -> Mapping[str, str]:
    for key in annotations:
        if key == "kubernetes.io/ingress.class":
            raise ValueError(f"expected className instead of the annotation {key}")
        prefix = key.rpartition("/")[0]
        if prefix == "pulumi.com" and key != "pulumi.com/skipAwait":
            raise ValueError(f"expected no annotation {key}: the program sets those of {prefix}")
    if sum(len(f"{k}{v}".encode()) for k, v in annotations.items()) > _MOST_ANNOTATIONS:
        raise ValueError(f"expected at most {_MOST_ANNOTATIONS} bytes of annotations")
    return annotations


DnsLabel = Annotated[
    str,
    Matching(
        pattern=_LABEL,
        longest=63,
        allowed="a DNS label: up to 63 lower-case letters, digits and '-' between them",
    ),
]
ObjectName = Annotated[
    str,
    Matching(
        pattern=rf"{_PART}(\.{_PART})*",
        longest=253,
        allowed="an object's name: up to 253 lower-case letters, digits, and '-' or '.' between "
        "them",
    ),
]
_HostName = Annotated[
    str,
    Matching(
        pattern=rf"{_LABEL}(\.{_LABEL})*",
        longest=253,
        allowed="a host name such as shop.example.com: lower-case letters, digits and '-', up to "
        "63 between dots, 253 in all",
    ),
]
HostName = Annotated[_HostName, AfterValidator(_host_or_address)]
"""A host by its name or its IPv4 address."""
RemoteHost = Annotated[HostName, AfterValidator(_not_the_pod_itself)]
"""A host that pods connect to."""
PublicHost = Annotated[_HostName, AfterValidator(_no_number)]
"""A host that an Ingress or a Gateway serves; neither takes an address."""
LabelValue = Annotated[
    str,
    Matching(
        pattern=f"({_NAME})?",
        longest=63,
        allowed="a label's value: up to 63 letters, digits, and '-', '_' or '.' between them",
    ),
]
LabelKey = Annotated[str, AfterValidator(_qualified)]
Labels = dict[LabelKey, LabelValue]
NamespaceLabels = Annotated[Labels, AfterValidator(_namespace_labels)]
_AnnotationValue = Annotated[
    str,
    BeforeValidator(_value),
    WithJsonSchema({"type": ["string", "integer", "boolean"]}),
]
IngressAnnotations = Annotated[
    dict[LabelKey, _AnnotationValue], AfterValidator(_ingress_annotations)
]
