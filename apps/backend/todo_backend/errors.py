"""Every failure becomes the right status and ``{"detail": "one clear message"}``."""

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from .chat.answer import AnotherMessageError
from .chat.history import FullError as HistoryFullError
from .database import DatabaseUnavailableError
from .sessions import NotConfiguredError
from .store import FullError

log = structlog.get_logger(__name__)


def _problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"detail": detail}, status, headers)


async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    """Names the first wrong field and what is wrong; never repeats the input."""
    first = error.errors()[0]
    in_body, where_in_body = first["loc"][0] == "body", first["loc"][1:]
    if first["type"] == "json_invalid":
        return _problem(400, _NO_JSON)
    if in_body and not where_in_body and first["type"] == "missing":
        return _problem(422, "The request needs a body: a JSON object.")
    if in_body and not where_in_body:
        if not _is_json(request.headers.get("content-type", "")):
            return _problem(415, "Please send the body as application/json.")
        return _problem(422, "The request body must be a JSON object.")
    where = ".".join(str(part) for part in first["loc"][1:])
    message = first["msg"].removeprefix("Value error, ")
    detail = f"{where}: {message}" if where else message
    return _problem(422, detail.encode("utf-8", "replace").decode()[:300])


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )


async def _refused(request: Request, error: HTTPException) -> JSONResponse:
    """Says it in our own words where the framework has none, and names the methods there are."""
    headers = dict(error.headers or {})
    detail = error.detail
    if error.status_code == 405:
        methods = _methods(request)
        headers["Allow"] = ", ".join(sorted(methods))
        detail = f"This address takes {', '.join(sorted(methods))} only."
    elif error.status_code == 404 and detail == "Not Found":
        detail = "There is nothing at this address."
    elif error.status_code == 400 and detail == "There was an error parsing the body":
        detail = _NO_JSON
    return _problem(error.status_code, detail, headers)


def _methods(request: Request) -> set[str]:
    """Returns what all routes of this path take together; each route only knows its own."""
    found = {
        method
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        for route in request.app.routes
        if route.matches({**request.scope, "method": method})[0] == Match.FULL
    }
    return found | {"HEAD"} if "GET" in found else found


_NO_JSON = "The request body is not valid JSON."


async def _another_message(_request: Request, _error: AnotherMessageError) -> JSONResponse:
    return _problem(409, "There is another message with this id; please choose a new id.")


async def _history_full(_request: Request, _error: HistoryFullError) -> JSONResponse:
    return _problem(409, "Your chat has no room for more messages. Delete a conversation first.")


async def _full(_request: Request, error: FullError) -> JSONResponse:
    return _problem(409, f"Your list is full: {error} todos are the most. Delete some first.")


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
    """Registers the handlers."""
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(HTTPException)(_refused)
    app.exception_handler(FullError)(_full)
    app.exception_handler(HistoryFullError)(_history_full)
    app.exception_handler(AnotherMessageError)(_another_message)
    app.exception_handler(DatabaseUnavailableError)(_database_away)
    app.exception_handler(IntegrityError)(_conflict)
    app.exception_handler(NotConfiguredError)(_not_configured)
    app.exception_handler(Exception)(_unexpected)
