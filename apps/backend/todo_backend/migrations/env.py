"""Alembic's entry point; migrate.py hands over a connection whose transaction has the lock."""

from alembic import context

from todo_backend.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
)
with context.begin_transaction():
    context.run_migrations()
