"""Makes a certificate authority, and certificates that are signed by it.

A certificate is a pure function of the authority, the hosts and the time: its key is derived from
the authority's. So nothing but the authority has to be kept, `pulumi up` changes nothing for thirty
days, and then makes the next certificate, long before the present one ends. Nobody can conclude
from a derived key to another or to the authority's (RFC 5869).
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from addons.local_authority.permitted import DOMAINS, NETWORKS

_DAYS_OF_AUTHORITY = 3650
_DAYS_OF_PERIOD = 30
_DAYS_OF_CERTIFICATE = 90
"""The last day of its period leaves 60 of them for the next `pulumi up`."""
_CURVE = ec.SECP256R1()
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256 (SEC 2, 2.4.2)."""


@dataclass(frozen=True, kw_only=True)
class KeyPair:
    """A certificate and its key, both as PEM."""

    certificate: str
    key: str


def new_authority(now: datetime) -> str:
    """Returns key and certificate of a new authority, one after the other as PEM."""
    key = ec.generate_private_key(_CURVE)
    name = _name("Todo add-ons: local authority")
    public = key.public_key()
    permitted = [
        *map(x509.DNSName, DOMAINS),
        *(x509.IPAddress(ipaddress.ip_network(it)) for it in NETWORKS),
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_DAYS_OF_AUTHORITY))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _key_pem(key) + _pem(certificate)


def is_authority(text: str) -> bool:
    """Tells whether a text is what `new_authority` returns."""
    try:
        return _certificate(text).public_key() == _key(text).public_key()
    except (ValueError, TypeError):
        return False


def certificate_of(authority: str) -> str:
    """Returns the certificate of an authority, which people may trust and everybody may see."""
    return _pem(_certificate(authority))


def issue(authority: str, hosts: Sequence[str], *, today: date, number: int = 0) -> KeyPair:
    """Returns the certificate that some hosts have today, and the key of it.

    Args:
        authority: What `new_authority` has returned.
        hosts: Names and addresses, each permitted (permitted.py).
        today: The day; the certificate is valid from the day before its period of 30 days and for
            90 days.
        number: Another number makes another key and certificate, at once.
    """
    issuer, secret = _certificate(authority), _key(authority)
    period = today.toordinal() // _DAYS_OF_PERIOD
    derived = f"{period} {number} {' '.join(hosts)}"
    # 16 bytes more than the order has, so that the remainder is as good as evenly spread (NIST SP
    # 800-56A, 5.6.1.2.1).
    key = ec.derive_private_key(1 + _derive(secret, f"key {derived}", 48) % (_ORDER - 1), _CURVE)
    begin = datetime.combine(
        date.fromordinal(period * _DAYS_OF_PERIOD), datetime.min.time(), tzinfo=UTC
    )
    public = key.public_key()
    certificate = (
        x509.CertificateBuilder()
        # No host's name: OpenSSL would hold it to the authority's domains, addresses too.
        .subject_name(_name("Todo add-ons: certificate"))
        .issuer_name(issuer.subject)
        .public_key(public)
        # At most 20 bytes, and positive (RFC 5280, 4.1.2.2).
        .serial_number(1 + _derive(secret, f"serial {derived}", 16))
        .not_valid_before(begin - timedelta(days=1))
        .not_valid_after(begin + timedelta(days=_DAYS_OF_CERTIFICATE))
        .add_extension(x509.SubjectAlternativeName(map(_host, hosts)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(secret.public_key()), critical=False
        )
        .sign(secret, hashes.SHA256(), ecdsa_deterministic=True)
    )
    return KeyPair(certificate=_pem(certificate), key=_key_pem(key))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(authority: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(authority[authority.index("-----BEGIN CERT") :].encode())


def _key(authority: str) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(authority.encode(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("the authority has another kind of key than this program makes")
    return key


def _derive(secret: ec.EllipticCurvePrivateKey, purpose: str, length: int) -> int:
    material = secret.private_numbers().private_value.to_bytes(32, "big")
    derived = HKDF(algorithm=hashes.SHA256(), length=length, salt=None, info=purpose.encode())
    return int.from_bytes(derived.derive(material), "big")


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
