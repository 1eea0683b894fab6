"""The signed-in user's account: looking at it, protecting it, deleting it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from .. import accounts, attempts, ratelimit, sessions
from ..attempts import Guess
from ..client_address import ClientAddress
from ..database import Database, Db
from ..fields import NO_NUL, Storable
from ..models import User
from ..passwords import hash_password, verify_password
from ..ratelimit import Limit
from ..sessions import CurrentSession, CurrentUser
from ..settings import Settings, get_settings
from . import PROBLEMS

router = APIRouter(
    prefix="/api/me", tags=["account"], responses=PROBLEMS, dependencies=sessions.SECURITY
)
Config = Annotated[Settings, Depends(get_settings)]

Password = Annotated[str, Field(min_length=1, max_length=256, json_schema_extra=NO_NUL), Storable]
# No password is asked for, so a stolen session can do it too: not so often that its owner, who has
# signed in again, has no time left to change the password.
_ENDINGS_PER_HOUR = 3
# Long rather than complicated.
NewPassword = Annotated[
    str, Field(min_length=10, max_length=256, json_schema_extra=NO_NUL), Storable
]


class Me(BaseModel):
    """The signed-in user."""

    id: UUID
    email: str


class SignedIn(Me):
    """The signed-in user and a token for clients without cookies."""

    token: str


class PasswordChange(BaseModel):
    """The password so far, and the one from now on."""

    current_password: Password
    new_password: NewPassword


class Confirmation(BaseModel):
    """The account's password, asked for again."""

    password: Password


async def _user(database: Database, user_id: UUID) -> User:
    user = await database.run(lambda session: session.get(User, user_id))
    if user is None:
        raise sessions.signed_out()
    return user


async def _check(
    request: Request, database: Database, settings: Settings, client: str, user: User, password: str
) -> Guess:
    """Refuses a wrong password, counted as an attempt to sign in: a session may be stolen."""
    device = attempts.device_of(request, [user.id], settings)
    guess = await attempts.begin(database, settings, client, user.email, device)
    if not await verify_password(user.password_hash, password):
        guess.was_wrong()
        raise HTTPException(403, "The current password is wrong.")
    return guess


@router.get("")
async def me(user_id: CurrentUser, database: Db) -> Me:
    """Returns the signed-in user."""
    user = await _user(database, user_id)
    return Me(id=user.id, email=user.email)


@router.post("/password")
async def change_password(
    body: PasswordChange,
    request: Request,
    response: Response,
    session: CurrentSession,
    client: ClientAddress,
    database: Db,
    settings: Config,
) -> SignedIn:
    """Changes the password and ends all other sessions; this one goes on with a new token."""
    user = await _user(database, session.user_id)
    guess = await _check(request, database, settings, client, user, body.current_password)
    await guess.was_right()
    hashed = await hash_password(body.new_password)
    generation = await database.run(lambda db: accounts.change_password(db, user, hashed))
    if generation is None:
        raise HTTPException(409, "The password was changed elsewhere meanwhile.")
    token = sessions.set_cookie(
        request, response, session._replace(generation=generation), settings
    )
    attempts.remember_device(request, response, user.id, settings)
    return SignedIn(id=user.id, email=user.email, token=token)


@router.post("/end-other-sessions")
async def end_other_sessions(
    request: Request, response: Response, session: CurrentSession, database: Db, settings: Config
) -> SignedIn:
    """Ends all sessions but this one, which goes on with a new token."""
    user = await _user(database, session.user_id)
    limit = Limit.on("end-sessions", str(user.id), _ENDINGS_PER_HOUR, 3600 / _ENDINGS_PER_HOUR)

    async def work(db: AsyncSession) -> int | None:
        await ratelimit.take(db, limit)
        return await accounts.end_sessions(db, user.id, session.generation)

    generation = await database.run(work)
    if generation is None:
        raise sessions.signed_out()
    token = sessions.set_cookie(
        request, response, session._replace(generation=generation), settings
    )
    return SignedIn(id=user.id, email=user.email, token=token)


@router.delete("", status_code=204)
async def delete_account(
    body: Confirmation,
    request: Request,
    response: Response,
    user_id: CurrentUser,
    client: ClientAddress,
    database: Db,
    settings: Config,
) -> None:
    """Deletes the account with all its todos and conversations; asks for the password again."""
    user = await _user(database, user_id)
    guess = await _check(request, database, settings, client, user, body.password)

    async def work(db: AsyncSession) -> None:
        await accounts.remove(db, user.id)

    await database.run(work)
    await guess.was_right()
    sessions.delete_cookie(response)
    attempts.forget_device(response)
