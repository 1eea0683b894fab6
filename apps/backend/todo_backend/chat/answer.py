"""Answers one chat message as a stream of events.

With the built-in parser, the actions, the message and the answer are one transaction, done
before the first event. With a language model each tool call is its own transaction. Ids derive
from the message's id, so a message sent again never adds a todo twice.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid5

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from .. import metrics
from ..database import Database, DatabaseUnavailableError
from ..models import Message
from ..settings import Settings
from . import actions, history, model, parser
from .intents import Intent

log = structlog.get_logger(__name__)
Event = dict[str, Any]
_NO_MODEL = "(Built-in parser; no language model is configured.)"
_MODEL_AWAY = "(Built-in parser; the language model is not available right now.)"


@dataclass(frozen=True)
class Question:
    """One message of one user."""

    user_id: UUID
    id: UUID
    conversation_id: UUID
    text: str
    today: date


class AnotherMessageError(Exception):
    """A message is no repetition of the stored one that has its id."""


async def answer(
    database: Database, settings: Settings, question: Question
) -> AsyncIterator[Event]:
    """Returns the events of the answer; DatabaseUnavailableError comes before the first one.

    Raises:
        AnotherMessageError: another message has this id.
        history.FullError: there are as many messages as one may have.

    """
    most = settings.messages_per_user
    stored = await database.run(
        lambda session: history.find(session, question.user_id, question.id, most)
    )
    if stored is not None:
        if stored.text != question.text:
            raise AnotherMessageError
        return _replay(stored)
    if model.configured(settings):
        earlier = await database.run(
            lambda session: history.conversation(
                session, question.user_id, question.conversation_id, limit=10
            )
        )
        return _with_model(database, settings, question, earlier)
    return _replay(await _with_parser(database, settings, question, _NO_MODEL))


async def _with_parser(
    database: Database, settings: Settings, question: Question, note: str
) -> Message:
    most = settings.todos_per_user

    async def work(session: AsyncSession) -> Message:
        key = (question.user_id, question.id)
        if (stored := await session.get(Message, key)) is not None:
            return stored
        try:
            intent = parser.parse(question.text, question.today)
            new_id = uuid5(question.id, "parser")
            outcome = await actions.perform(session, question.user_id, intent, new_id, most)
        except parser.NotUnderstoodError as unknown:
            outcome = actions.Outcome(str(unknown))
        return await _save(
            session, question, f"{outcome.text}\n\n{note}", "parser", outcome.changed
        )

    stored = await database.run(work)
    metrics.CHAT_MESSAGES.labels("parser").inc()
    return stored


async def _save(
    session: AsyncSession, question: Question, text: str, mode: str, changed: bool
) -> Message:
    await history.save(
        session,
        question.user_id,
        id=question.id,
        conversation_id=question.conversation_id,
        text=question.text,
        answer=text,
        mode=mode,
        changed=changed,
    )
    return await session.get_one(Message, (question.user_id, question.id))


async def _replay(message: Message) -> AsyncIterator[Event]:
    """Yields a stored answer in small pieces."""
    yield _start(message.id, message.conversation_id, message.mode)
    if message.changed:
        yield {"type": "changed"}
    for line in message.answer.splitlines(keepends=True):
        yield {"type": "delta", "text": line}
    yield {"type": "end"}


def _start(message_id: UUID, conversation_id: UUID, mode: str) -> Event:
    return {
        "type": "start",
        "message_id": str(message_id),
        "conversation_id": str(conversation_id),
        "mode": mode,
    }


async def _with_model(
    database: Database, settings: Settings, question: Question, earlier: list[Message]
) -> AsyncIterator[Event]:
    outcomes: list[actions.Outcome] = []

    async def run(intent: Intent) -> str:
        new_id = uuid5(question.id, f"model {len(outcomes)}")
        outcome = await database.run(
            lambda session: actions.perform(
                session, question.user_id, intent, new_id, settings.todos_per_user
            )
        )
        outcomes.append(outcome)
        return outcome.text

    past = [
        turn
        for message in earlier
        for turn in (
            {"role": "user", "content": message.text},
            {"role": "assistant", "content": message.answer},
        )
    ]
    text = ""
    told = 0
    try:
        try:
            async for piece in model.converse(settings, past, question.text, question.today, run):
                piece = piece.replace("\x00", "")
                if not text:
                    yield _start(question.id, question.conversation_id, "model")
                if sum(outcome.changed for outcome in outcomes) > told:
                    told = sum(outcome.changed for outcome in outcomes)
                    yield {"type": "changed"}
                text += piece
                yield {"type": "delta", "text": piece}
        except model.ModelUnavailableError as error:
            log.warning("model_unavailable", error=str(error))
            if not text and not outcomes:
                async for event in _replay(
                    await _with_parser(database, settings, question, _MODEL_AWAY)
                ):
                    yield event
                return
            missing = "\n\n(The language model stopped answering.)"
            if not text:
                yield _start(question.id, question.conversation_id, "model")
            done = "" if text else "\n".join(outcome.text for outcome in outcomes)
            text += done + missing
            yield {"type": "delta", "text": done + missing}
        if not text:
            yield _start(question.id, question.conversation_id, "model")
            text = "\n".join(outcome.text for outcome in outcomes) or "I have nothing to say."
            yield {"type": "delta", "text": text}
        changed = any(outcome.changed for outcome in outcomes)
        if changed:
            yield {"type": "changed"}
        await database.run(lambda session: _save(session, question, text, "model", changed))
        metrics.CHAT_MESSAGES.labels("model").inc()
        yield {"type": "end"}
    except DatabaseUnavailableError:
        yield {"type": "error", "detail": "The database is not available right now."}
