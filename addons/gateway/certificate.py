"""The certificate of the Gateway, from whom the settings say."""

from datetime import UTC, datetime
from typing import assert_never

import pulumi
import pulumi_kubernetes as k8s

from addons.gateway.settings import (
    Certificate,
    CertManagerCertificate,
    ExistingCertificate,
    LocalCertificate,
)
from addons.local_authority.authority import certificate_of, issue
from components.metadata.labels import object_name
from components.metadata.scope import ObjectScope

core = k8s.core.v1

AUTHORITY = "-authority"
"""Follows the Gateway's name in that of the ConfigMap whose `ca.crt` signs its certificate."""


def declare_certificate(
    scope: ObjectScope, certificate: Certificate, authority: pulumi.Output[str] | None
) -> pulumi.Input[str]:
    """Declares what makes the certificate, and returns the name of the TLS Secret.

    Args:
        scope: Of the Gateway.
        certificate: Who makes it.
        authority: Key and certificate of the local authority, if there is one.

    Raises:
        ValueError: The local authority is to sign it, and there is none.
    """
    match certificate:
        case LocalCertificate():
            if authority is None:
                raise ValueError("a certificate of mode local needs the local authority")
            return _declare_local(scope, certificate, authority)
        case CertManagerCertificate():
            return _declare_cert_manager(scope, certificate)
        case ExistingCertificate():
            return certificate.secret
        case _:
            assert_never(certificate)


def _declare_local(
    scope: ObjectScope, certificate: LocalCertificate, authority: pulumi.Output[str]
) -> pulumi.Output[str]:
    today = datetime.now(UTC).date()
    pair = authority.apply(
        lambda pem: issue(pem, certificate.hosts, today=today, number=certificate.number)
    )
    core.ConfigMap(
        f"{scope.name}-authority",
        metadata=scope.metadata(AUTHORITY),
        data={"ca.crt": pulumi.Output.unsecret(authority.apply(certificate_of))},
        opts=scope.opts,
    )
    # Named by Pulumi: the next one is there before the Gateway takes it, and this one goes after.
    secret = core.Secret(
        f"{scope.name}-certificate",
        type="kubernetes.io/tls",
        metadata=scope.unnamed_metadata(),
        string_data={
            "tls.crt": pair.apply(lambda it: it.certificate),
            "tls.key": pair.apply(lambda it: it.key),
        },
        opts=scope.opts,
    )
    return object_name(secret)


def _declare_cert_manager(
    scope: ObjectScope, certificate: CertManagerCertificate
) -> pulumi.Output[str]:
    name = f"{scope.object_name}-certificate"
    declared = k8s.apiextensions.CustomResource(
        f"{scope.name}-certificate",
        api_version="cert-manager.io/v1",
        kind="Certificate",
        metadata=scope.metadata("-certificate"),
        spec={
            "secretName": name,
            "dnsNames": list(certificate.hosts),
            "issuerRef": {
                "group": "cert-manager.io",
                "kind": certificate.issuer_kind,
                "name": certificate.issuer,
            },
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
            "usages": ["digital signature", "server auth"],
        },
        opts=scope.opts,
    )
    return declared.urn.apply(lambda _: name)
