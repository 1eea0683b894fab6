"""Queries on todos. Each one names the user, so nobody reaches anybody else's rows.

They are safe to repeat, as Database.run() asks.
"""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from .models import Todo, User

_ORDERS = {
    "default": (Todo.done, Todo.due_date.asc().nulls_last(), Todo.priority.desc()),
    "created": (),
    "due": (Todo.due_date.asc().nulls_last(),),
    "priority": (Todo.priority.desc(),),
}


async def find(
    session: AsyncSession,
    user_id: UUID,
    *,
    search: str | None = None,
    done: bool | None = None,
    priority: int | None = None,
    due_before: date | None = None,
    order: str = "default",
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[Todo], int]:
    """Returns one page of matching todos and how many match altogether."""
    where = [Todo.user_id == user_id]
    if search:
        where.append(Todo.title.icontains(search, autoescape=True))
    if done is not None:
        where.append(Todo.done == done)
    if priority is not None:
        where.append(Todo.priority == priority)
    if due_before is not None:
        where.append(Todo.due_date <= due_before)
    total = await session.scalar(select(func.count()).select_from(Todo).where(*where))
    page = select(Todo).where(*where).order_by(*_ORDERS[order], Todo.created_at.desc(), Todo.id)
    return list(await session.scalars(page.limit(limit).offset(offset))), total or 0


async def named(session: AsyncSession, user_id: UUID, title: str, limit: int) -> list[Todo]:
    """Returns the todos with this title, but for its case and the white space around it."""
    same = func.lower(func.btrim(Todo.title)) == func.lower(title.strip())
    rows = select(Todo).where(Todo.user_id == user_id, same)
    newest = rows.order_by(Todo.created_at.desc(), Todo.id).limit(limit)
    return list(await session.scalars(newest))


class FullError(Exception):
    """The list has as many todos as one may have; the argument is that number."""


async def add(session: AsyncSession, user_id: UUID, most: int, **values: Any) -> Todo | None:  # noqa: ANN401
    """Adds a todo, or finds the one that has its id; None when the user no longer exists.

    The user's row is locked, so that adding at the same time cannot exceed ``most`` together.
    """
    if await session.get(User, user_id, with_for_update={"key_share": True}) is None:
        return None
    if (existing := await session.get(Todo, (user_id, values["id"]))) is not None:
        return existing
    some = select(Todo.id).where(Todo.user_id == user_id).limit(most).subquery()
    if (await session.scalar(select(func.count()).select_from(some)) or 0) >= most:
        raise FullError(most)
    row = insert(Todo).values(user_id=user_id, **values)
    await session.execute(row.on_conflict_do_nothing(index_elements=["user_id", "id"]))
    return await session.get(Todo, (user_id, values["id"]))


async def change(
    session: AsyncSession, user_id: UUID, todo_id: UUID, values: dict[str, Any]
) -> Todo | None:
    """Changes the given columns and returns the todo; None when there is no such todo."""
    mine = (Todo.user_id == user_id, Todo.id == todo_id)
    if not values:
        return await session.scalar(select(Todo).where(*mine))
    return await session.scalar(update(Todo).where(*mine).values(**values).returning(Todo))


async def remove(session: AsyncSession, user_id: UUID, todo_id: UUID) -> bool:
    """Deletes a todo; False when there is no such todo."""
    mine = delete(Todo).where(Todo.user_id == user_id, Todo.id == todo_id)
    return await session.scalar(mine.returning(Todo.id)) is not None
