"""Certificates of authorities, as settings give them."""

import re
import ssl

# RFC 7468, "Textual Encodings of PKIX, PKCS, and CMS Structures".
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_MOST = 900 * 1024
"""A ConfigMap holds 1 MiB (Kubernetes, "ConfigMaps"), names and labels included."""


def check_bundle(value: str) -> None:
    """Checks PEM text of certificate authorities.

    Raises:
        ValueError: It is something else; the sentence does not repeat it, should it be a key.
    """
    if len(value.encode(errors="replace")) > _MOST:
        raise ValueError(
            f"expected caBundle of at most {_MOST // 1024} KiB; leave out authorities of others"
        )
    kinds = [match.group(1) for match in _BLOCK.finditer(value)]
    if any("PRIVATE KEY" in kind for kind in kinds):
        raise ValueError(
            "expected caBundle with certificates only; a private key belongs into no setting"
        )
    if not kinds or set(kinds) != {"CERTIFICATE"} or value.count("-----BEGIN ") != len(kinds):
        raise ValueError(
            "expected caBundle to be the text of a PEM file: one or more certificates, each from "
            "-----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----"
        )
    for number, match in enumerate(_BLOCK.finditer(value), 1):
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=match.group())
        except (ssl.SSLError, ValueError, TypeError):
            raise ValueError(
                f"expected caBundle with certificates that can be read, but number {number} of "
                f"{len(kinds)} cannot; take the file again from where it comes from"
            ) from None
