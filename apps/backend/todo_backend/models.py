"""The tables.

Rows a user owns have ``(user_id, id)`` as their key. A client may therefore choose the id
of what it creates (a retried request then finds its own row instead of making a second one)
and can never collide with, or learn about, another user's ids.
"""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, SmallInteger, Text, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Priority = Literal["low", "normal", "high"]
PRIORITIES: tuple[Priority, ...] = ("low", "normal", "high")


class Base(DeclarativeBase):
    """Common base of all tables."""


class User(Base):
    """Somebody who can sign in.

    The e-mail address is stored as credentials.address() returns it; releases before stored it in
    lower case only. Sessions of an earlier generation have ended.
    """

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(Text, unique=True)
    password_hash: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    session_generation: Mapped[int] = mapped_column(server_default="0")


class EndedSession(Base):
    """A session that was signed out of; needed until its last token has expired."""

    __tablename__ = "ended_sessions"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    ended_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), index=True
    )


class Todo(Base):
    """One thing to do; ``priority`` is an index into PRIORITIES."""

    __tablename__ = "todos"
    __table_args__ = (
        CheckConstraint("priority BETWEEN 0 AND 2", name="todos_priority_known"),
        CheckConstraint("char_length(title) BETWEEN 1 AND 500", name="todos_title_length"),
        Index("todos_by_user_open_due", "user_id", "done", "due_date"),
    )

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    done: Mapped[bool] = mapped_column(server_default="false")
    priority: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    due_date: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), onupdate=func.now()
    )


class Message(Base):
    """One turn of a chat: what the user wrote and what was answered."""

    __tablename__ = "messages"
    __table_args__ = (
        Index("messages_by_conversation", "user_id", "conversation_id", "created_at"),
    )

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID]
    text: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
    mode: Mapped[str] = mapped_column(Text)
    changed: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.clock_timestamp()
    )


class Bucket(Base):
    """How much of a limited thing is used up, over all replicas: see ratelimit.py."""

    __tablename__ = "buckets"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    full_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


class Attempt(Base):
    """What the release before counts limits in; the next one drops the table."""

    __tablename__ = "attempts"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    minute: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True, index=True)
    count: Mapped[int]
