"""Turns at what is expensive: nobody takes up all database connections of a process alone."""

import asyncio
from uuid import UUID
from weakref import WeakValueDictionary

_AT_ONCE = 2  # of 8 connections, so that three more people have theirs
_turns: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()


def of(user_id: UUID) -> asyncio.Semaphore:
    """Return what lets a user do two things at once; the others wait for their turn."""
    return _turns.setdefault(user_id, asyncio.Semaphore(_AT_ONCE))
