"""SCRAM-SHA-256 verifiers as PostgreSQL stores them, so that it never sees a new password."""

import base64
import hashlib
import hmac
import secrets

from console.failure import ExitCode, Failure

_ITERATIONS = 4096


def verifier(password: str, salt: bytes | None = None) -> str:
    """Returns what ALTER ROLE … PASSWORD takes instead of the password itself.

    Args:
        password: ASCII only, so that it is its own SASLprep form.
        salt: 16 bytes; None: random.

    Raises:
        Failure: It has other characters.
    """
    if not password.isascii():
        raise Failure(
            "The database's password has other characters than those of ASCII, which operations "
            "cannot set; give it one of letters and digits where it is kept, then run this again.",
            ExitCode.USAGE,
        )
    salt = salt or secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    client = hmac.digest(salted, b"Client Key", "sha256")
    stored = hashlib.sha256(client).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    text = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${_ITERATIONS}:{text[0]}${text[1]}:{text[2]}"
