"""Signing up, in and out."""

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import AfterValidator, BaseModel, Field
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from .. import metrics, ratelimit, sessions
from ..database import Database, Db
from ..fields import Text
from ..models import User
from ..passwords import hash_password, verify_password
from ..sessions import CurrentUser
from ..settings import Settings, get_settings
from . import PROBLEMS

router = APIRouter(prefix="/api", tags=["account"], responses=PROBLEMS)
Config = Annotated[Settings, Depends(get_settings)]


def _address(email: str) -> str:
    """Normalise an e-mail address; only its rough shape is checked."""
    email = email.strip().lower()
    name, _, domain = email.rpartition("@")
    if not name or "." not in domain.strip(".") or any(c.isspace() for c in email):
        raise ValueError("must be an e-mail address")
    return email


class Credentials(BaseModel):
    """Who somebody claims to be."""

    email: Annotated[
        Text, Field(max_length=254, examples=["ada@example.com"]), AfterValidator(_address)
    ]
    password: Annotated[Text, Field(min_length=1, max_length=256)]


class NewCredentials(Credentials):
    """Who somebody wants to be; passwords are long rather than complicated."""

    password: Annotated[Text, Field(min_length=10, max_length=256)]


class Me(BaseModel):
    """The signed-in user."""

    id: UUID
    email: str


class SignedIn(Me):
    """The signed-in user and a token for clients without cookies."""

    token: str


async def _limit(request: Request, database: Database, email: str, settings: Settings) -> None:
    """Limit attempts per address, and more tightly per address and account together."""
    forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    address = forwarded or (request.client.host if request.client else "unknown")
    await ratelimit.limit(
        database, "address", address, settings.sign_in_attempts_per_minute_per_address
    )
    await ratelimit.limit(
        database, "account", f"{address} {email}", settings.sign_in_attempts_per_minute
    )


@router.post("/auth/sign-up", status_code=201)
async def sign_up(
    body: NewCredentials, request: Request, response: Response, database: Db, settings: Config
) -> SignedIn:
    """Create an account and sign in.

    Repeating it with the same password signs in again, so a retried request is harmless. It
    takes equally long whether or not the address is taken.
    """
    await _limit(request, database, body.email, settings)
    user_id = uuid4()
    hashed = await hash_password(body.password)

    async def create(session: AsyncSession) -> User:
        row = insert(User).values(id=user_id, email=body.email, password_hash=hashed)
        await session.execute(row.on_conflict_do_nothing(index_elements=["email"]))
        return (await session.scalars(select(User).where(User.email == body.email))).one()

    user = await database.run(create)
    if not await verify_password(user.password_hash, body.password):
        raise HTTPException(409, "This account cannot be created. If it is yours, sign in.")
    token = sessions.sign_in(request, response, user.id, settings)
    return SignedIn(id=user.id, email=user.email, token=token)


@router.post("/auth/sign-in")
async def sign_in(
    body: Credentials, request: Request, response: Response, database: Db, settings: Config
) -> SignedIn:
    """Sign in; a wrong password and an unknown address are answered alike."""
    await _limit(request, database, body.email, settings)

    async def find(session: AsyncSession) -> User | None:
        return await session.scalar(select(User).where(User.email == body.email))

    user = await database.run(find)
    right = await verify_password(user.password_hash if user else None, body.password)
    metrics.SIGN_INS.labels("accepted" if right else "refused").inc()
    if user is None or not right:
        raise HTTPException(401, "The e-mail address or the password is wrong.")
    token = sessions.sign_in(request, response, user.id, settings)
    return SignedIn(id=user.id, email=user.email, token=token)


@router.post("/auth/sign-out", status_code=204)
async def sign_out(response: Response) -> None:
    """Remove the session cookie."""
    sessions.sign_out(response)


@router.get("/me")
async def me(user_id: CurrentUser, database: Db) -> Me:
    """Return the signed-in user."""

    async def find(session: AsyncSession) -> User | None:
        return await session.get(User, user_id)

    user = await database.run(find)
    if user is None:
        raise HTTPException(401, "Please sign in.")
    return Me(id=user.id, email=user.email)
