"""A certificate of the gateway that ends in a few days."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.e2e_addons.alerting import kubectl
from tests.e2e_addons.faults.fault import Fault

_GATEWAY = "gateway"
_LISTENER = "certificate-ends"


def ending_certificate() -> Fault:
    """A certificate of the gateway, for a host of its own, that ends in three days."""
    host = f"{_LISTENER}.localhost"
    certificate, key = _certificate(host, timedelta(days=3))
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": _LISTENER},
        "data": {
            name: base64.b64encode(value).decode()
            for name, value in (("tls.crt", certificate), ("tls.key", key))
        },
    }
    kubectl("-n", _GATEWAY, "apply", "-f", "-", text=json.dumps(secret))
    listener = {
        "name": _LISTENER,
        "hostname": host,
        "port": 443,
        "protocol": "HTTPS",
        "tls": {"mode": "Terminate", "certificateRefs": [{"name": _LISTENER}]},
    }
    _patch_gateway({"op": "add", "path": "/spec/listeners/-", "value": listener})
    return Fault(
        namespace=_GATEWAY,
        summary="The certificate gateway in gateway ends in ",
        mend=keep_no_certificate,
    )


def keep_no_certificate() -> None:
    """Takes the listener away again, and the certificate with it."""
    gateway = json.loads(kubectl("-n", _GATEWAY, "get", "gateway/public", "-o", "json"))
    names = [it["name"] for it in gateway["spec"]["listeners"]]
    if _LISTENER in names:
        path = f"/spec/listeners/{names.index(_LISTENER)}"
        _patch_gateway(
            {"op": "test", "path": f"{path}/name", "value": _LISTENER},
            {"op": "remove", "path": path},
        )
    kubectl("-n", _GATEWAY, "delete", "secret", _LISTENER, "--ignore-not-found")


def _patch_gateway(*operations: dict[str, Any]) -> None:
    patch = ("--type=json", "-p", json.dumps(operations))
    kubectl("-n", _GATEWAY, "patch", "gateway/public", *patch)


def _certificate(host: str, valid: timedelta) -> tuple[bytes, bytes]:
    """Returns a certificate that signs itself, and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + valid)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pkcs8 = serialization.PrivateFormat.PKCS8
    return (
        signed.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, pkcs8, plain),
    )
