"""Certificate authorities and server certificates, made by openssl."""

import subprocess
from pathlib import Path

_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]


def authority(folder: Path, name: str) -> Path:
    """Makes a certificate authority; returns its certificate."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    _openssl("req", "-x509", *_KEY, "-subj", f"/CN={name}", "-out", certificate, "-keyout", key)
    return certificate


def server_certificate(authority: Path, host: str, certificate: Path, key: Path) -> None:
    """Makes a certificate for a host, signed by an authority."""
    alternative = ["-addext", f"subjectAltName=DNS:{host}"]
    signed_by = ["-CA", authority, "-CAkey", authority.with_suffix(".key")]
    _openssl(
        *("req", "-x509", *_KEY, "-subj", f"/CN={host}", *alternative, *signed_by),
        *("-out", certificate, "-keyout", key),
    )


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
