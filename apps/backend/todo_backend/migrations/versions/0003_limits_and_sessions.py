"""Token buckets and the ends of sessions: invisible to the release before it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds what limits are counted in, and how sessions end before their time.

    The default of the new column is a constant, so no row is rewritten.
    """
    op.create_table(
        "buckets",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("full_at", sa.DateTime(timezone=True), nullable=False, index=True),
    )
    op.add_column(
        "users",
        sa.Column("session_generation", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_table(
        "ended_sessions",
        sa.Column(
            "user_id", sa.Uuid, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column(
            "ended_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("now()"),
            index=True,
        ),
    )


def downgrade() -> None:
    """Removes them again."""
    op.drop_table("ended_sessions")
    op.drop_column("users", "session_generation")
    op.drop_table("buckets")
