"""Signed session tokens, accepted from a cookie or an Authorization header."""

import time
from typing import Annotated, NamedTuple
from uuid import UUID

import jwt
from fastapi import Cookie, Depends, Header, HTTPException, Request, Response

from .settings import Settings, get_settings, read_secret

COOKIE = "todo_session"
ALGORITHM = "HS256"
MINIMUM_KEY_BYTES = 32


class NotConfiguredError(Exception):
    """A secret the service cannot work without is missing or too short."""


def keys(settings: Settings) -> list[str]:
    """Return the signing key, followed during a rotation by the others that are accepted.

    Those are the next one, before every process signs with it, and the previous one, while
    sessions signed with it may still be in use.
    """
    current = read_secret(settings.jwt_key_file)
    if current is None or len(current.encode()) < MINIMUM_KEY_BYTES:
        raise NotConfiguredError(f"the session key is missing or under {MINIMUM_KEY_BYTES} bytes")
    others = map(read_secret, (settings.jwt_next_key_file, settings.jwt_previous_key_file))
    return [current, *filter(None, others)]


def issue(user_id: UUID, settings: Settings) -> str:
    """Return a token signed with the current key."""
    now = int(time.time())
    claims = {"sub": str(user_id), "iat": now, "exp": now + settings.session_minutes * 60}
    return jwt.encode(claims, keys(settings)[0], ALGORITHM)


class Session(NamedTuple):
    """What a valid token says."""

    user_id: UUID
    issued_at: int


def verify(token: str, settings: Settings) -> Session | None:
    """Return whose token this is, or None when it is not (or no longer) valid."""
    for key in keys(settings):
        try:
            claims = jwt.decode(token, key, [ALGORITHM], options={"require": ["sub", "iat", "exp"]})
            return Session(UUID(claims["sub"]), int(claims["iat"]))
        except (jwt.InvalidTokenError, ValueError):
            continue
    return None


def sign_in(request: Request, response: Response, user_id: UUID, settings: Settings) -> str:
    """Give the browser a session cookie and return the token in it."""
    token = issue(user_id, settings)
    response.set_cookie(
        COOKIE,
        token,
        max_age=settings.session_minutes * 60,
        httponly=True,
        samesite="strict",
        secure=request.headers.get("x-forwarded-proto") == "https",
    )
    return token


def sign_out(response: Response) -> None:
    """Take the session cookie away."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")


def current_user(
    request: Request,
    response: Response,
    settings: Annotated[Settings, Depends(get_settings)],
    todo_session: Annotated[str | None, Cookie(include_in_schema=False)] = None,
    authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> UUID:
    """Return the signed-in user's id, or answer 401 (a FastAPI dependency).

    A session in a cookie is renewed in the second half of its life, so it ends only when it is
    not used.
    """
    scheme, _, bearer = (authorization or "").partition(" ")
    in_cookie = scheme.lower() != "bearer"
    token = todo_session if in_cookie else bearer.strip()
    session = verify(token, settings) if token else None
    if session is None:
        raise HTTPException(401, "Please sign in.", {"WWW-Authenticate": "Bearer"})
    if in_cookie and time.time() - session.issued_at > settings.session_minutes * 30:
        sign_in(request, response, session.user_id, settings)
    return session.user_id


CurrentUser = Annotated[UUID, Depends(current_user)]
