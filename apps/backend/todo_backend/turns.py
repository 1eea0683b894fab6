"""Turns at what is expensive: nobody takes up all connections or places of a process alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID
from weakref import WeakValueDictionary

from fastapi import HTTPException

_AT_ONCE = 2  # of 8 connections, so that three more people have theirs
_WAITING = 8  # of 200 places (MAXIMUM_REQUESTS): more than a page asks for at once, by far


class _Turns:
    """What one user has under way."""

    def __init__(self) -> None:
        self.free = asyncio.Semaphore(_AT_ONCE)
        self.here = 0


_turns: WeakValueDictionary[UUID, _Turns] = WeakValueDictionary()


@asynccontextmanager
async def of(user_id: UUID) -> AsyncIterator[None]:
    """Lets a user do two things at once; a few more wait their turn, others are answered 429."""
    turns = _turns.setdefault(user_id, _Turns())
    if turns.here >= _AT_ONCE + _WAITING:
        detail = "Too many of your requests are under way. Please wait 1 second and try again."
        raise HTTPException(429, detail, {"Retry-After": "1"})
    turns.here += 1
    try:
        async with turns.free:
            yield
    finally:
        turns.here -= 1
