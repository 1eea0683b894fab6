"""Rate limits as token buckets in PostgreSQL, so that they hold over all replicas.

A bucket holds ``burst`` tokens and gets one more every ``seconds``. All that is stored is when it
will be full again (the "generic cell rate algorithm" of ITU-T I.371), so there is no window whose
boundary would let two allowances through, and the time to wait is known exactly.
"""

import hashlib
import math
import random
from dataclasses import dataclass
from datetime import timedelta

from fastapi import HTTPException
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from .database import Database
from .models import Bucket


@dataclass(frozen=True)
class Limit:
    """At most ``burst`` at once, and one more every ``seconds``; ``key`` names what is limited."""

    key: str
    burst: int
    seconds: float

    @classmethod
    def on(cls, what: str, who: str, burst: int, seconds: float) -> "Limit":
        """Returns a limit on what somebody does; who that is cannot be read in the database."""
        digest = hashlib.sha256(who.encode()).hexdigest()[:32]
        return cls(f"{what}:{digest}", burst, seconds)


async def take(session: AsyncSession, *limits: Limit) -> None:
    """Takes a token out of each bucket, or answers 429 and takes none (it ends the transaction)."""
    now = func.clock_timestamp()
    if random.random() < 0.01:  # noqa: S311 - sweeping up, not cryptography
        # A row being counted in right now is left to the next sweep, so nobody waits for it.
        full = select(Bucket.key).where(Bucket.full_at < now).with_for_update(skip_locked=True)
        await session.execute(delete(Bucket).where(Bucket.key.in_(full)))
    for limit in limits:
        more = timedelta(seconds=limit.seconds)
        row = insert(Bucket).values(key=limit.key, full_at=now + more)
        taken = row.on_conflict_do_update(
            index_elements=["key"],
            set_={"full_at": func.greatest(Bucket.full_at, now) + more},
            where=Bucket.full_at <= now + (limit.burst - 1) * more,
        ).returning(Bucket.key)
        if await session.scalar(taken) is None:
            left = select(func.extract("epoch", Bucket.full_at - now)).where(
                Bucket.key == limit.key
            )
            used = float(await session.scalar(left) or 0)
            raise refusal(used - (limit.burst - 1) * limit.seconds)


async def give_back(session: AsyncSession, *limits: Limit) -> None:
    """Puts a token back into each bucket."""
    for limit in limits:
        less = timedelta(seconds=limit.seconds)
        row = update(Bucket).where(Bucket.key == limit.key)
        await session.execute(row.values(full_at=Bucket.full_at - less))


async def limit(database: Database, *limits: Limit) -> None:
    """Takes a token out of each bucket in a transaction of its own, or answers 429."""
    await database.run(lambda session: take(session, *limits))


async def refund(database: Database, *limits: Limit) -> None:
    """Puts a token back into each bucket in a transaction of its own."""
    await database.run(lambda session: give_back(session, *limits))


def refusal(wait: float) -> HTTPException:
    """Returns the answer to somebody who has to wait for so many seconds."""
    seconds = max(1, math.ceil(wait))
    unit = "second" if seconds == 1 else "seconds"
    return HTTPException(
        429,
        f"Too many attempts. Please wait {seconds} {unit} and try again.",
        {"Retry-After": str(seconds)},
    )
