"""Signed session tokens, accepted from a cookie or an Authorization header.

A token names a session: when its password was given (``auth_time``), its id (``sid``), and the
generation of the account's sessions (``gen``). Signing out ends the session, a new password or
"end other sessions" the generation; and nothing keeps a session for more than ``SESSION_DAYS``.
Tokens of the release before have none of the three and are taken as what they were then.
"""

import random
import time
from datetime import timedelta
from typing import Annotated, Any, NamedTuple
from uuid import UUID, uuid4, uuid5

import jwt
from fastapi import Depends, HTTPException, Request, Response
from fastapi.security import APIKeyCookie, HTTPBearer
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from .database import Db
from .models import EndedSession, User
from .settings import Settings, get_settings, read_secret

COOKIE = "todo_session"
ALGORITHM = "HS256"
MINIMUM_KEY_BYTES = 32
_LEEWAY_SECONDS = 30  # clocks of nodes differ; a token may come from the future by this much

# Both only describe the ways in: reading and refusing is done below.
_COOKIE_SCHEME = APIKeyCookie(name=COOKIE, auto_error=False, scheme_name="cookie")
_BEARER_SCHEME = HTTPBearer(auto_error=False, scheme_name="bearer", bearerFormat="JWT")


class NotConfiguredError(Exception):
    """A secret the service cannot work without is missing or too short."""


def keys(settings: Settings) -> list[str]:
    """Returns the signing key, followed during a rotation by the others that are accepted.

    Those are the next one, before every process signs with it, and the previous one, while
    sessions signed with it may still be in use.
    """
    current = read_secret(settings.jwt_key_file)
    if current is None or len(current.encode()) < MINIMUM_KEY_BYTES:
        raise NotConfiguredError(f"the session key is missing or under {MINIMUM_KEY_BYTES} bytes")
    others = map(read_secret, (settings.jwt_next_key_file, settings.jwt_previous_key_file))
    return [current, *filter(None, others)]


class Session(NamedTuple):
    """What a valid token says, and what the next one of the same session says again."""

    user_id: UUID
    id: UUID
    auth_time: int
    generation: int
    issued_at: int = 0


def begin(user: User) -> Session:
    """Returns a new session of somebody who has just given the right password."""
    return Session(user.id, uuid4(), int(time.time()), user.session_generation)


def issue(session: Session, settings: Settings) -> str:
    """Returns a token signed with the current key."""
    now = int(time.time())
    claims = {
        "sub": str(session.user_id),
        "iat": now,
        "exp": min(now + settings.session_minutes * 60, _end(session.auth_time, settings)),
        "sid": str(session.id),
        "auth_time": session.auth_time,
        "gen": session.generation,
    }
    return jwt.encode(claims, keys(settings)[0], ALGORITHM)


def _end(auth_time: int, settings: Settings) -> int:
    return auth_time + settings.session_days * 24 * 3600


def verify(token: str, settings: Settings) -> Session | None:
    """Returns whose token this is, or None when it is not (or no longer) valid."""
    for key in keys(settings):
        try:
            claims = jwt.decode(
                token,
                key,
                [ALGORITHM],
                leeway=_LEEWAY_SECONDS,
                options={"require": ["sub", "iat", "exp"]},
            )
            session = _session(claims)
        except (jwt.InvalidTokenError, ValueError, TypeError):
            continue
        return session if time.time() < _end(session.auth_time, settings) else None
    return None


def _session(claims: dict[str, Any]) -> Session:
    user_id, issued_at = UUID(claims["sub"]), int(claims["iat"])
    return Session(
        user_id,
        UUID(claims["sid"]) if "sid" in claims else uuid5(user_id, str(issued_at)),
        int(claims.get("auth_time", issued_at)),
        int(claims.get("gen", 0)),
        issued_at,
    )


async def in_force(session: AsyncSession, token: Session) -> bool:
    """Tells whether the account is there, and has not ended this session."""
    ended = select(EndedSession.id).where(
        EndedSession.user_id == token.user_id, EndedSession.id == token.id
    )
    row = select(User.session_generation).where(User.id == token.user_id, ~ended.exists())
    return await session.scalar(row) == token.generation


async def end(session: AsyncSession, token: Session, settings: Settings) -> None:
    """Ends a session for good, and forgets those whose tokens have all expired since."""
    if random.random() < 0.01:  # noqa: S311 - sweeping up, not cryptography
        old = func.now() - timedelta(minutes=settings.session_minutes, days=1)
        await session.execute(delete(EndedSession).where(EndedSession.ended_at < old))
    known = (
        select(User.id).where(User.id == token.user_id).with_for_update(read=True, key_share=True)
    )
    if await session.scalar(known) is not None:
        row = insert(EndedSession).values(user_id=token.user_id, id=token.id)
        await session.execute(row.on_conflict_do_nothing())


def set_cookie(request: Request, response: Response, session: Session, settings: Settings) -> str:
    """Gives the browser a session cookie and returns the token in it."""
    token = issue(session, settings)
    response.set_cookie(
        COOKIE,
        token,
        max_age=settings.session_minutes * 60,
        httponly=True,
        samesite="strict",
        secure=request.headers.get("x-forwarded-proto") == "https",
    )
    return token


def delete_cookie(response: Response) -> None:
    """Takes the session cookie away."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")


def token_of(request: Request) -> tuple[str, bool]:
    """Returns the token a request carries, and whether it is in the cookie."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return bearer.strip(), False
    return request.cookies.get(COOKIE, ""), True


async def current_session(
    request: Request,
    response: Response,
    database: Db,
    settings: Annotated[Settings, Depends(get_settings)],
) -> Session:
    """Returns the session of a signed-in user, or answers 401 (a FastAPI dependency).

    A session in a cookie is renewed in the second half of its token's life, so it ends only when
    it is not used, is signed out of, or has lasted for SESSION_DAYS.
    """
    token, in_cookie = token_of(request)
    session = verify(token, settings) if token else None
    if session is None or not await database.run(lambda db: in_force(db, session)):
        raise signed_out()
    if in_cookie and time.time() - session.issued_at > settings.session_minutes * 30:
        set_cookie(request, response, session, settings)
    return session


def current_user(session: Annotated[Session, Depends(current_session)]) -> UUID:
    """Returns the signed-in user's id, or answers 401 (a FastAPI dependency)."""
    return session.user_id


def signed_out() -> HTTPException:
    """Returns the answer to somebody who is not signed in (any more)."""
    return HTTPException(401, "Please sign in.", {"WWW-Authenticate": "Bearer"})


SECURITY = [Depends(_COOKIE_SCHEME), Depends(_BEARER_SCHEME)]
CurrentSession = Annotated[Session, Depends(current_session)]
CurrentUser = Annotated[UUID, Depends(current_user)]
