"""Certificates for the tests, made by openssl."""

import subprocess
from pathlib import Path

_NEW = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def authority(folder: Path, name: str) -> tuple[Path, Path]:
    """Makes a certificate authority; returns its certificate and its key."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    _openssl(*_NEW, "-subj", f"/CN={name}", "-out", certificate, "-keyout", key)
    return certificate, key


def server_certificate(folder: Path, host: str, signed_by: tuple[Path, Path]) -> tuple[Path, Path]:
    """Makes a certificate for a host, signed by an authority; returns it and its key."""
    certificate, key = folder / "server.crt", folder / "server.key"
    _openssl(
        *(*_NEW, "-subj", "/CN=server", "-addext", f"subjectAltName=DNS:{host}"),
        *("-CA", signed_by[0], "-CAkey", signed_by[1], "-out", certificate, "-keyout", key),
    )
    return certificate, key


def _openssl(*arguments: str | Path) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
