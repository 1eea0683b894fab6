"""SCRAM-SHA-256 verifiers as PostgreSQL stores them, so that it never sees a new password."""

import base64
import hashlib
import hmac
import secrets

_ITERATIONS = 4096


def verifier(password: str, salt: bytes | None = None) -> str:
    """Returns what ALTER ROLE … PASSWORD takes instead of the password itself.

    Args:
        password: ASCII only, so that it is its own SASLprep form.
        salt: 16 bytes; None: random.
    """
    if not password.isascii():
        raise ValueError("expected a password of ASCII characters")
    salt = salt or secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    client = hmac.digest(salted, b"Client Key", "sha256")
    stored = hashlib.sha256(client).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    text = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${_ITERATIONS}:{text[0]}${text[1]}:{text[2]}"
