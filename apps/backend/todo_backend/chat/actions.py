"""Carries out what a chat message asks for and says what happened."""

import re
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from .. import store
from ..models import PRIORITIES, Todo
from .intents import AddTodo, ChangeTodo, DeleteTodo, Intent, ListTodos
from .pointing import points

_SHOWN = 20


@dataclass(frozen=True)
class Outcome:
    """What to tell the user, and whether any todo changed."""

    text: str
    changed: bool = False


async def perform(
    session: AsyncSession, user_id: UUID, intent: Intent, new_id: UUID, most: int
) -> Outcome:
    """Carries out one intent; a todo it adds gets ``new_id``, so repeating adds it once.

    Nobody gets more than ``most`` todos.
    """
    match intent:
        case AddTodo():
            return await _add(session, user_id, intent, new_id, most)
        case ListTodos():
            return await _list(session, user_id, intent)
        case ChangeTodo():
            return await _change(session, user_id, intent)
        case DeleteTodo():
            return await _delete(session, user_id, intent)


def describe(todo: Todo) -> str:
    """Returns a todo in one line."""
    notes = [] if todo.due_date is None else [f"due {_day(todo.due_date)}"]
    if PRIORITIES[todo.priority] != "normal":
        notes.append(f"{PRIORITIES[todo.priority]} priority")
    if todo.done:
        notes.append("done")
    return f"“{todo.title}”" + (f" ({', '.join(notes)})" if notes else "")


def _day(day: date) -> str:
    return f"{day:%A}, {day.isoformat()}"


async def _add(
    session: AsyncSession, user_id: UUID, intent: AddTodo, new_id: UUID, most: int
) -> Outcome:
    try:
        todo = await store.add(
            session,
            user_id,
            most,
            id=new_id,
            title=intent.title,
            due_date=intent.due_date,
            priority=PRIORITIES.index(intent.priority),
        )
    except store.FullError:
        return Outcome(f"Your list is full: {most} todos are the most. Delete some first.")
    return (
        Outcome("Please sign in again.")
        if todo is None
        else Outcome(f"Added {describe(todo)}.", True)
    )


async def _list(session: AsyncSession, user_id: UUID, intent: ListTodos) -> Outcome:
    rows, total = await store.find(
        session,
        user_id,
        search=intent.search,
        done=intent.done,
        due_before=intent.due_before,
        priority=None if intent.priority is None else PRIORITIES.index(intent.priority),
        limit=_SHOWN,
    )
    if not rows:
        return Outcome("There is nothing on that list.")
    lines = [f"{total} todo{'s' if total != 1 else ''}:", *(f"• {describe(row)}" for row in rows)]
    if total > len(rows):
        lines.append(f"… and {total - len(rows)} more.")
    return Outcome("\n".join(lines))


async def _change(session: AsyncSession, user_id: UUID, intent: ChangeTodo) -> Outcome:
    values = intent.model_dump(exclude={"title"}, exclude_none=True)
    if "priority" in values:
        values["priority"] = PRIORITIES.index(values["priority"])
    found = await _the_one(session, user_id, intent.title, values.get("done"))
    if isinstance(found, Outcome):
        return found
    todo = await store.change(session, user_id, found.id, values)
    if todo is None:
        return Outcome("That todo is gone.")
    if intent.done is not None:
        return Outcome(f"{'Completed' if intent.done else 'Reopened'} “{todo.title}”.", True)
    return Outcome(f"Changed {describe(todo)}.", True)


async def _delete(session: AsyncSession, user_id: UUID, intent: DeleteTodo) -> Outcome:
    """Deletes what was named in full; there is no way back, so a part of a title only asks."""
    found = await _the_one(session, user_id, intent.title)
    if isinstance(found, Outcome):
        return found
    if not _same(found.title, intent.title):
        return Outcome(
            f"Did you mean this one? To delete it, say its whole title:\n• {found.title}"
        )
    await store.remove(session, user_id, found.id)
    return Outcome(f"Deleted “{found.title}”.", True)


async def _the_one(
    session: AsyncSession, user_id: UUID, title: str, making_done: bool | None = None
) -> Todo | Outcome:
    """Returns the one todo meant, or an answer saying that there is none or more than one.

    What is written exactly so comes first, then what differs in case, then what has the words in
    its title.
    """
    wanted = title.strip()
    named = await store.named(session, user_id, wanted, _SHOWN + 1)
    candidates = [row for row in named if row.title.strip() == wanted] or named
    alike = bool(candidates)
    if not candidates:
        if points(wanted):  # to something said before, which is not remembered
            return Outcome(f"I cannot tell what “{wanted}” is; please say the title.")
        rows, total = await store.find(session, user_id, search=wanted, limit=200)
        words = re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)", re.IGNORECASE)
        candidates = [row for row in rows if words.search(row.title)]
        if total > len(rows) or (rows and not candidates):
            return _ask(candidates or rows)
    if making_done is not None:  # "complete milk" means the open one
        candidates = [row for row in candidates if row.done != making_done] or candidates
    if not candidates:
        return Outcome(f"I found no todo with “{title}” in its title.")
    if len(candidates) == 1:
        return candidates[0]
    return _ask(candidates, alike)


def _same(title: str, wanted: str) -> bool:
    return title.strip().casefold() == wanted.strip().casefold()


def _ask(candidates: list[Todo], alike: bool = False) -> Outcome:
    how = "choose it in the list" if alike else "give me the whole title"
    lines = "\n".join(f"• {describe(row)}" for row in candidates[:_SHOWN])
    return Outcome(f"That could be any of these; please {how}:\n{lines}")
