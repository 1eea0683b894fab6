"""Accounts: queries that are safe to repeat, as Database.run() asks."""

from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from .credentials import address, stored_forms
from .models import User
from .passwords import verify_password


async def find(session: AsyncSession, email: str) -> list[User]:
    """Returns the accounts an e-mail address may mean, most likely first: in practice at most one.

    There are two when somebody signed up with both forms before they were known to be the same.
    """
    forms = stored_forms(email)
    found = await session.scalars(select(User).where(User.email.in_(forms)))
    return sorted(found, key=lambda user: forms.index(user.email))


async def create(
    session: AsyncSession, user_id: UUID, email: str, password_hash: str
) -> list[User]:
    """Creates an account; returns it, or those that have the address already."""
    if not (found := await find(session, email)):
        row = insert(User).values(id=user_id, email=address(email), password_hash=password_hash)
        await session.execute(row.on_conflict_do_nothing(index_elements=["email"]))
        found = await find(session, email)
    return found


async def matching(users: list[User], password: str) -> User | None:
    """Returns the account whose password this is; nobody's takes as long as somebody's."""
    for user in users:
        if await verify_password(user.password_hash, password):
            return user
    if not users:
        await verify_password(None, password)
    return None


async def change_password(session: AsyncSession, user: User, password_hash: str) -> int | None:
    """Sets a password and ends all sessions; returns their new generation, None when too late.

    Too late is when the account is gone, or its password is another one than was looked at. The
    generation is counted up from what is stored then: sessions may have been ended meanwhile.
    """
    row = update(User).where(User.id == user.id, User.password_hash == user.password_hash)
    changed = row.values(
        password_hash=password_hash, session_generation=User.session_generation + 1
    )
    generation: int | None = await session.scalar(changed.returning(User.session_generation))
    if generation is not None:
        return generation
    # Every hash has a salt of its own, so this one is here only if the attempt before wrote it.
    done = select(User.session_generation).where(
        User.id == user.id, User.password_hash == password_hash
    )
    return await session.scalar(done)


async def end_sessions(session: AsyncSession, user_id: UUID, generation: int) -> int | None:
    """Ends all sessions; returns their new generation, None when those of this one have ended.

    Of two at once only the first goes on. After a broken connection nobody can tell whose new
    generation is stored; then signing in again is the safe answer.
    """
    row = update(User).where(User.id == user_id, User.session_generation == generation)
    ended = row.values(session_generation=generation + 1)
    return await session.scalar(ended.returning(User.session_generation))


async def remove(session: AsyncSession, user_id: UUID) -> None:
    """Deletes an account with everything that is in it."""
    await session.execute(delete(User).where(User.id == user_id))
