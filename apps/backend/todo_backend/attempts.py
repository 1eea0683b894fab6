"""How often a password may be guessed, by whom, and whom that must never lock out.

- One address and one account: 10 wrong passwords, then one more a minute.
- One address: 120 attempts a minute, right or wrong, whatever the accounts: they cost CPU.
- One account, from all addresses together: 100 wrong passwords an hour, as OWASP ASVS 4.0 2.2.1
  asks, of which 30 at once. No header moves it, and one address (60 an hour) cannot use it up.
  A guesser of several addresses can, and as one more is let in every 36 seconds, whoever asks first
  has it: for as long as he goes on, the owner gets in from a known browser, and elsewhere by luck.
- A browser that has signed in to the account before proves it with a cookie, and has a bucket of
  its own instead (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"): no stranger can
  lock it out, and whoever copies the cookie can guess as slowly as anybody. All such attempts from
  one address count together, also 120 a minute: cookies are to be had by signing up.

A right password gives its tokens back, so only wrong ones count.
"""

import hashlib
import hmac
import time
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID, uuid4

import jwt
import structlog
from fastapi import HTTPException, Request, Response

from . import credentials, metrics, ratelimit, sessions
from .client_address import limited_by, shown
from .database import Database
from .ratelimit import Limit
from .settings import Settings

DEVICE_COOKIE = "todo_device"
_DEVICE_SECONDS = 180 * 24 * 3600
_WRONG_AT_ONCE_PER_ACCOUNT = 30


class Device(NamedTuple):
    """A browser that has signed in to an account before."""

    user_id: UUID
    id: str


@dataclass(frozen=True)
class Guess:
    """One attempt at an account's password, counted from the moment it is made."""

    database: Database
    refundable: list[Limit]

    async def was_none(self) -> None:
        """Gives the tokens back: there was no password to guess."""
        await ratelimit.refund(self.database, *self.refundable)

    async def was_right(self) -> None:
        """Gives the tokens back; what the attempt cost its address stays counted."""
        metrics.SIGN_INS.labels("accepted").inc()
        await self.was_none()

    def was_wrong(self) -> None:
        """Leaves the tokens taken."""
        metrics.SIGN_INS.labels("refused").inc()


async def begin(
    database: Database,
    settings: Settings,
    client: str,
    email: str,
    device: Device | None,
    *also: Limit,
) -> Guess:
    """Counts an attempt at an account; answers 429 when there are too many of it or of ``also``."""
    account = credentials.address(email)
    source = limited_by(client)
    observe(settings, client, account)
    # Two buckets of an address, so that strangers who share it use up nothing of known browsers.
    whose = "address" if device is None else "device-address"
    per_minute = settings.sign_in_attempts_per_minute_per_address
    limits = [Limit.on(whose, source, per_minute, 60 / per_minute)]
    if device is not None:
        refundable = [Limit.on("device", device.id, settings.sign_in_attempts_per_minute, 60)]
    else:
        per_hour = settings.sign_in_attempts_per_hour_per_account
        most = min(_WRONG_AT_ONCE_PER_ACCOUNT, per_hour)
        refundable = [
            Limit.on("guess", f"{source} {account}", settings.sign_in_attempts_per_minute, 60),
            Limit.on("account", account, most, 3600 / per_hour),
        ]
    try:
        await ratelimit.limit(database, *also, *limits, *refundable)
    except HTTPException:
        metrics.SIGN_INS.labels("limited").inc()
        raise
    return Guess(database, refundable)


def observe(settings: Settings, client: str, account: str) -> None:
    """Lets the request's log line tell where attempts come from and if they aim at one account.

    It has the client's network (IPv4 /24, IPv6 /48) and hashes under the session key of the address
    and the account: the same ones can be counted and compared, but not read.
    """
    key = sessions.keys(settings)[0].encode()

    def hidden(text: str) -> str:
        return hmac.new(key, f"log {text}".encode(), hashlib.sha256).hexdigest()[:16]

    structlog.contextvars.bind_contextvars(
        client_network=shown(client), client=hidden(client), account=hidden(account)
    )


def _device_keys(settings: Settings) -> list[bytes]:
    """Returns keys of their own for this purpose: no device cookie is ever taken for a session."""
    return [
        hmac.new(key.encode(), b"device cookie", hashlib.sha256).digest()
        for key in sessions.keys(settings)
    ]


def device_of(request: Request, users: list[UUID], settings: Settings) -> Device | None:
    """Returns which device of one of these accounts this is, or None when it proves to be none."""
    cookie = request.cookies.get(DEVICE_COOKIE, "")
    for key in _device_keys(settings):
        try:
            claims = jwt.decode(
                cookie, key, [sessions.ALGORITHM], options={"require": ["sub", "jti", "exp"]}
            )
        except jwt.InvalidTokenError:
            continue
        mine = [user for user in users if str(user) == claims["sub"]]
        return Device(mine[0], str(claims["jti"])) if mine else None
    return None


def remember_device(
    request: Request, response: Response, user_id: UUID, settings: Settings
) -> None:
    """Gives the browser proof that somebody signed in to this account on it."""
    known = device_of(request, [user_id], settings)
    claims = {
        "sub": str(user_id),
        "jti": known.id if known else str(uuid4()),
        "exp": int(time.time()) + _DEVICE_SECONDS,
    }
    response.set_cookie(
        DEVICE_COOKIE,
        jwt.encode(claims, _device_keys(settings)[0], sessions.ALGORITHM),
        max_age=_DEVICE_SECONDS,
        path="/api",
        httponly=True,
        samesite="strict",
        secure=request.headers.get("x-forwarded-proto") == "https",
    )


def forget_device(response: Response) -> None:
    """Takes the proof away, when its account is gone."""
    response.delete_cookie(DEVICE_COOKIE, path="/api", httponly=True, samesite="strict")
