"""Stored conversations, strictly per user."""

from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ..models import Message


class FullError(Exception):
    """The user has as many messages as one may have."""


async def find(session: AsyncSession, user_id: UUID, message_id: UUID, most: int) -> Message | None:
    """Returns the message that has this id; None when there is none yet and room for it.

    Messages are few a minute, so one that is written at the same moment may exceed ``most``.
    """
    if (stored := await session.get(Message, (user_id, message_id))) is not None:
        return stored
    some = select(Message.id).where(Message.user_id == user_id).limit(most).subquery()
    if (await session.scalar(select(func.count()).select_from(some)) or 0) >= most:
        raise FullError
    return None


async def save(session: AsyncSession, user_id: UUID, **values: Any) -> None:  # noqa: ANN401
    """Stores one message with its answer, once."""
    row = insert(Message).values(user_id=user_id, **values)
    await session.execute(row.on_conflict_do_nothing(index_elements=["user_id", "id"]))


async def conversation(
    session: AsyncSession, user_id: UUID, conversation_id: UUID, limit: int = 200
) -> list[Message]:
    """Returns the newest messages of a conversation, oldest first."""
    newest = (
        select(Message)
        .where(Message.user_id == user_id, Message.conversation_id == conversation_id)
        .order_by(Message.created_at.desc())
        .limit(limit)
    )
    return list(await session.scalars(newest))[::-1]


async def conversations(session: AsyncSession, user_id: UUID) -> list[tuple[UUID, Any, int]]:
    """Returns id, last use and size of the user's conversations, the newest first."""
    last = func.max(Message.created_at)
    query = (
        select(Message.conversation_id, last, func.count())
        .where(Message.user_id == user_id)
        .group_by(Message.conversation_id)
        .order_by(last.desc())
        .limit(100)
    )
    return [(row[0], row[1], row[2]) for row in await session.execute(query)]


async def forget(session: AsyncSession, user_id: UUID, conversation_id: UUID) -> None:
    """Deletes a conversation; nothing happens when there is none."""
    await session.execute(
        delete(Message).where(
            Message.user_id == user_id, Message.conversation_id == conversation_id
        )
    )
