"""The signed-in user's todos."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, Field, StrictBool
from sqlalchemy.ext.asyncio import AsyncSession

from .. import ratelimit, sessions, store, turns
from ..database import Db
from ..fields import NO_NUL, Day, Flag, Storable, Title
from ..models import PRIORITIES, Priority, Todo
from ..sessions import CurrentUser
from ..settings import Settings, get_settings
from . import PROBLEMS

router = APIRouter(
    prefix="/api/todos", tags=["todos"], responses=PROBLEMS, dependencies=sessions.SECURITY
)
Config = Annotated[Settings, Depends(get_settings)]


class Order(StrEnum):
    """How a list is sorted."""

    DEFAULT = "default"
    CREATED = "created"
    DUE = "due"
    PRIORITY = "priority"


class NewTodo(BaseModel):
    """A todo to add. Choosing the id makes repeating the request harmless."""

    id: UUID = Field(default_factory=uuid4)
    title: Title
    done: StrictBool = False
    priority: Priority = "normal"
    due_date: Day | None = None


class TodoChange(BaseModel):
    """What to change; fields left out stay as they are."""

    title: Title = ""
    done: StrictBool = False
    priority: Priority = "normal"
    due_date: Day | None = None


class TodoOut(BaseModel):
    """A stored todo."""

    id: UUID
    title: str
    done: bool
    priority: Priority
    due_date: date | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Todo) -> "TodoOut":
        """Makes one from a table row."""
        return cls(
            id=row.id,
            title=row.title,
            done=row.done,
            priority=PRIORITIES[row.priority],
            due_date=row.due_date,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


class TodoPage(BaseModel):
    """A part of a list; ``total`` counts all matches."""

    items: list[TodoOut]
    total: int
    limit: int
    offset: int


def _values(body: NewTodo | TodoChange, **options: Any) -> dict[str, Any]:  # noqa: ANN401
    values = body.model_dump(**options)
    if "priority" in values:
        values["priority"] = PRIORITIES.index(values["priority"])
    return values


def _found(row: Todo | None) -> TodoOut:
    if row is None:
        raise HTTPException(404, "There is no such todo.")
    return TodoOut.of(row)


@router.get("")
async def list_todos(
    user_id: CurrentUser,
    database: Db,
    search: Annotated[
        Annotated[str, Field(max_length=200, json_schema_extra=NO_NUL), Storable] | None, Query()
    ] = None,
    done: Flag | None = None,
    priority: Priority | None = None,
    due_before: Annotated[Day | None, Query(description="due on this day or earlier")] = None,
    order: Order = Order.DEFAULT,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> TodoPage:
    """Searches, filters, sorts and pages."""

    async def work(session: AsyncSession) -> tuple[list[Todo], int]:
        return await store.find(
            session,
            user_id,
            search=search,
            done=done,
            priority=None if priority is None else PRIORITIES.index(priority),
            due_before=due_before,
            order=order,
            limit=limit,
            offset=offset,
        )

    async with turns.of(user_id):
        rows, total = await database.run(work)
    return TodoPage(
        items=[TodoOut.of(row) for row in rows], total=total, limit=limit, offset=offset
    )


def _changes(user_id: UUID, settings: Settings) -> ratelimit.Limit:
    per_minute = settings.todo_changes_per_minute
    return ratelimit.Limit.on("todos", str(user_id), per_minute, 60 / per_minute)


@router.post("", status_code=201)
async def add_todo(body: NewTodo, user_id: CurrentUser, database: Db, settings: Config) -> TodoOut:
    """Adds a todo; the same one again is found, another one with an id in use is refused."""
    wanted = _values(body)

    async def work(session: AsyncSession) -> Todo | None:
        await ratelimit.take(session, _changes(user_id, settings))
        return await store.add(session, user_id, settings.todos_per_user, **wanted)

    row = await database.run(work)
    if row is None:
        raise sessions.signed_out()
    if any(getattr(row, name) != value for name, value in wanted.items()):
        raise HTTPException(409, "There is another todo with this id; please choose a new id.")
    return TodoOut.of(row)


@router.get("/{todo_id}")
async def get_todo(todo_id: UUID, user_id: CurrentUser, database: Db) -> TodoOut:
    """Returns one todo."""
    return _found(await database.run(lambda session: session.get(Todo, (user_id, todo_id))))


@router.patch("/{todo_id}")
async def change_todo(
    todo_id: UUID, body: TodoChange, user_id: CurrentUser, database: Db, settings: Config
) -> TodoOut:
    """Changes some fields of one todo."""
    values = _values(body, exclude_unset=True)

    async def work(session: AsyncSession) -> Todo | None:
        await ratelimit.take(session, _changes(user_id, settings))
        return await store.change(session, user_id, todo_id, values)

    return _found(await database.run(work))


@router.delete("/{todo_id}", status_code=204)
async def delete_todo(todo_id: UUID, user_id: CurrentUser, database: Db, settings: Config) -> None:
    """Deletes one todo."""
    seen = False

    async def work(session: AsyncSession) -> None:
        # Remembered over attempts: the first may have been committed without our knowing.
        nonlocal seen
        await ratelimit.take(session, _changes(user_id, settings))
        seen = await store.remove(session, user_id, todo_id) or seen

    await database.run(work)
    if not seen:
        raise HTTPException(404, "There is no such todo.")
