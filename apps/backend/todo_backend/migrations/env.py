"""Alembic's entry point; migrate.py hands over an open, locked connection."""

from alembic import context

from todo_backend.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
