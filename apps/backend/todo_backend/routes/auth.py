"""Signing up, in and out."""

from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import AfterValidator, BaseModel, Field

from .. import accounts, attempts, sessions
from ..attempts import Device, Guess
from ..client_address import ClientAddress, limited_by
from ..credentials import checked_shape, checked_visible
from ..database import Database, Db
from ..fields import Storable
from ..models import User
from ..passwords import hash_password
from ..ratelimit import Limit, refund
from ..settings import Settings
from . import PROBLEMS
from .account import Config, NewPassword, Password, SignedIn

router = APIRouter(prefix="/api/auth", tags=["account"], responses=PROBLEMS)

_ADDRESS = {"pattern": r"^\s*\S+@\.*[^\s@.]+\.[^\s@]*[^\s@.]\.*\s*$"}
Email = Annotated[
    str,
    Field(max_length=254, examples=["ada@example.com"], json_schema_extra=_ADDRESS),
    Storable,
    AfterValidator(checked_shape),
]


class Credentials(BaseModel):
    """Who somebody claims to be."""

    email: Email
    password: Password


class NewCredentials(BaseModel):
    """Who somebody wants to be; passwords are long rather than complicated."""

    email: Annotated[
        Email,
        AfterValidator(checked_visible),
        Field(description="without control, format and other invisible characters"),
    ]
    password: NewPassword


def _begin(request: Request, response: Response, user: User, settings: Settings) -> SignedIn:
    token = sessions.set_cookie(request, response, sessions.begin(user), settings)
    attempts.remember_device(request, response, user.id, settings)
    return SignedIn(id=user.id, email=user.email, token=token)


async def _matching(
    found: list[User],
    body: Credentials | NewCredentials,
    device: Device | None,
    guess: Guess,
    database: Database,
    settings: Settings,
    client: str,
) -> tuple[User | None, Guess]:
    """Returns whose password this is, and the guess that found out.

    Of two accounts with one address, a browser that is known to one is a stranger to the other.
    """
    known = [user for user in found if device is None or user.id == device.user_id]
    others = [user for user in found if user not in known]
    user = await accounts.matching(known, body.password)
    if user is None and others:
        guess.was_wrong()
        guess = await attempts.begin(database, settings, client, body.email, None)
        user = await accounts.matching(others, body.password)
    return user, guess


@router.post("/sign-up", status_code=201)
async def sign_up(
    body: NewCredentials,
    request: Request,
    response: Response,
    client: ClientAddress,
    database: Db,
    settings: Config,
) -> SignedIn:
    """Creates an account and signs in.

    Repeating it with the same password signs in again, so a retried request is harmless; with
    another password it is a wrong guess like any other. It takes equally long whether or not the
    address is taken.
    """
    per_hour = settings.sign_ups_per_hour_per_address
    sign_ups = Limit.on("sign-up", limited_by(client), per_hour, 3600 / per_hour)
    known = await database.run(lambda session: accounts.find(session, body.email))
    device = attempts.device_of(request, [user.id for user in known], settings)
    guess = await attempts.begin(database, settings, client, body.email, device, sign_ups)
    user_id, hashed = uuid4(), await hash_password(body.password)
    found = await database.run(
        lambda session: accounts.create(session, user_id, body.email, hashed)
    )
    user, guess = await _matching(found, body, device, guess, database, settings, client)
    if user is None:
        guess.was_wrong()
        raise HTTPException(409, "This account cannot be created. If it is yours, sign in.")
    if user.id == user_id:
        await guess.was_none()
    else:
        await guess.was_right()
        await refund(database, sign_ups)
    return _begin(request, response, user, settings)


@router.post("/sign-in")
async def sign_in(
    body: Credentials,
    request: Request,
    response: Response,
    client: ClientAddress,
    database: Db,
    settings: Config,
) -> SignedIn:
    """Signs in; a wrong password and an unknown address are answered alike."""
    found = await database.run(lambda session: accounts.find(session, body.email))
    device = attempts.device_of(request, [user.id for user in found], settings)
    guess = await attempts.begin(database, settings, client, body.email, device)
    user, guess = await _matching(found, body, device, guess, database, settings, client)
    if user is None:
        guess.was_wrong()
        raise HTTPException(401, "The e-mail address or the password is wrong.")
    await guess.was_right()
    return _begin(request, response, user, settings)


@router.post("/sign-out", status_code=204)
async def sign_out(request: Request, response: Response, database: Db, settings: Config) -> None:
    """Ends this session, if there is one, and removes its cookie: no copy of it is good now."""
    token, _ = sessions.token_of(request)
    session = sessions.verify(token, settings) if token else None
    if session is not None:
        await database.run(lambda db: sessions.end(db, session, settings))
    sessions.delete_cookie(response)
