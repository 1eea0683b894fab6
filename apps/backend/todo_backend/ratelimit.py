"""Rate limits counted in PostgreSQL, so that they hold over all replicas."""

import hashlib
import random
from datetime import timedelta

from fastapi import HTTPException
from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from .database import Database
from .models import Attempt


async def limit(database: Database, what: str, who: str, per_minute: int) -> None:
    """Count one attempt; answer 429 when there were too many this minute."""
    key = f"{what}:{hashlib.sha256(who.encode()).hexdigest()[:32]}"

    async def count(session: AsyncSession) -> int:
        if random.random() < 0.01:  # noqa: S311 - sweeping up, not cryptography
            old = func.now() - timedelta(hours=1)
            await session.execute(delete(Attempt).where(Attempt.minute < old))
        row = insert(Attempt).values(key=key, minute=func.date_trunc("minute", func.now()), count=1)
        counted = row.on_conflict_do_update(
            index_elements=["key", "minute"], set_={"count": Attempt.count + 1}
        ).returning(Attempt.count)
        return await session.scalar(counted) or 0

    if await database.run(count) > per_minute:
        raise HTTPException(
            429, "Too many attempts. Please wait a minute and try again.", {"Retry-After": "60"}
        )
