"""Every failure becomes the right status and ``{"detail": "one clear message"}``."""

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import IntegrityError

from .database import DatabaseUnavailableError
from .sessions import NotConfiguredError

log = structlog.get_logger(__name__)


def _problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"detail": detail}, status, headers)


async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
    """Name the first wrong field and what is wrong; never repeat the input."""
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return _problem(422, "The request body is not valid JSON.")
    where = ".".join(
        str(part) for part in first["loc"] if part not in ("body", "query", "path", "header")
    )
    message = first["msg"].removeprefix("Value error, ")
    detail = f"{where}: {message}" if where else message
    return _problem(422, detail.encode("utf-8", "replace").decode()[:300])


async def _database_away(_request: Request, _error: DatabaseUnavailableError) -> JSONResponse:
    return _problem(
        503,
        "The database is not available right now. Please try again shortly.",
        {"Retry-After": "3"},
    )


async def _not_configured(_request: Request, error: NotConfiguredError) -> JSONResponse:
    log.error("not_configured", reason=str(error))
    return _problem(503, "The service is not fully configured yet.", {"Retry-After": "10"})


async def _conflict(_request: Request, error: IntegrityError) -> JSONResponse:
    if getattr(error.orig, "sqlstate", None) == "23503":  # the account was deleted meanwhile
        return _problem(401, "Please sign in.")
    log.warning("conflict", error=type(error.orig).__name__)
    return _problem(409, "This conflicts with what is stored.")


async def _unexpected(_request: Request, error: Exception) -> JSONResponse:
    log.error("unexpected_error", exc_info=error)
    return _problem(500, "Something went wrong on our side.")


def install(app: FastAPI) -> None:
    """Register the handlers."""
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(DatabaseUnavailableError)(_database_away)
    app.exception_handler(IntegrityError)(_conflict)
    app.exception_handler(NotConfiguredError)(_not_configured)
    app.exception_handler(Exception)(_unexpected)
