"""The chat about one's todos."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from .. import ratelimit, sessions, turns
from ..chat import history
from ..chat.answer import Event, Question, answer
from ..database import Db
from ..fields import FILLED, Day, NotBlank, Storable
from ..sessions import CurrentUser
from ..settings import Settings, get_settings
from . import PROBLEMS

router = APIRouter(
    prefix="/api/chat", tags=["chat"], responses=PROBLEMS, dependencies=sessions.SECURITY
)
NDJSON = "application/x-ndjson"


class ChatMessage(BaseModel):
    """A message; choosing its id makes repeating the request harmless."""

    id: UUID = Field(default_factory=uuid4)
    conversation_id: UUID = Field(default_factory=uuid4)
    message: Annotated[
        str,
        Field(max_length=2000, examples=["add buy milk tomorrow"], json_schema_extra=FILLED),
        Storable,
        NotBlank,
    ]
    today: Annotated[Day | None, Field(description="the user's date; UTC if left out")] = None


class Conversation(BaseModel):
    """A conversation without its messages."""

    id: UUID
    last_used: datetime
    messages: int


class Turn(BaseModel):
    """A stored message and its answer."""

    id: UUID
    message: str
    answer: str
    mode: str
    created_at: datetime


async def _lines(events: AsyncIterator[Event]) -> AsyncIterator[str]:
    async for event in events:
        yield json.dumps(event, ensure_ascii=False) + "\n"


@router.post(
    "",
    response_class=StreamingResponse,
    responses={200: {"description": "One JSON event per line", "content": {NDJSON: {}}}},
)
async def chat(
    body: ChatMessage,
    user_id: CurrentUser,
    database: Db,
    settings: Annotated[Settings, Depends(get_settings)],
) -> StreamingResponse:
    """Acts on a message and streams the answer.

    Events: `start` (ids and mode, "model" or "parser"), `delta` (a piece of the answer),
    `changed` (todos changed), `end`, or `error` (with `detail`).
    """
    per_minute = settings.chat_messages_per_minute
    limit = ratelimit.Limit.on("chat", str(user_id), per_minute, 60 / per_minute)
    await ratelimit.limit(database, limit)
    day = body.today or datetime.now(UTC).date()
    question = Question(user_id, body.id, body.conversation_id, body.message, day)
    events = await answer(database, settings, question)
    return StreamingResponse(_lines(events), media_type=NDJSON)


@router.get("/conversations")
async def list_conversations(user_id: CurrentUser, database: Db) -> list[Conversation]:
    """Returns the user's conversations, the newest first."""
    async with turns.of(user_id):
        rows = await database.run(lambda session: history.conversations(session, user_id))
    return [Conversation(id=row[0], last_used=row[1], messages=row[2]) for row in rows]


@router.get("/conversations/{conversation_id}")
async def get_conversation(conversation_id: UUID, user_id: CurrentUser, database: Db) -> list[Turn]:
    """Returns the messages of one conversation, oldest first."""
    async with turns.of(user_id):
        rows = await database.run(
            lambda session: history.conversation(session, user_id, conversation_id)
        )
    if not rows:
        raise HTTPException(404, "There is no such conversation.")
    return [
        Turn(id=r.id, message=r.text, answer=r.answer, mode=r.mode, created_at=r.created_at)
        for r in rows
    ]


@router.delete("/conversations/{conversation_id}", status_code=204)
async def delete_conversation(conversation_id: UUID, user_id: CurrentUser, database: Db) -> None:
    """Deletes one conversation."""
    await database.run(lambda session: history.forget(session, user_id, conversation_id))
