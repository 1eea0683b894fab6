"""Password hashing with Argon2id, sized for a small container."""

import asyncio
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from .credentials import password_forms

# OWASP's minimum for Argon2id: 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# At most this many at once, so that memory and CPU stay within the container's limits.
_SLOTS = asyncio.Semaphore(4)


@lru_cache
def _decoy() -> str:
    return _HASHER.hash("compared with when there is no such user")


async def hash_password(password: str) -> str:
    """Returns the hash to store."""
    async with _SLOTS:
        return await asyncio.to_thread(_HASHER.hash, password_forms(password)[0])


async def verify_password(stored: str | None, password: str) -> bool:
    """Checks a password; an unknown user (None) costs as much time as a wrong password."""

    def check() -> bool:
        return any(_matches(stored or _decoy(), form) for form in password_forms(password))

    async with _SLOTS:
        return await asyncio.to_thread(check) and stored is not None


def _matches(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
