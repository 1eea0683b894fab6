"""Endpoints for Kubernetes; they are not reachable through the frontend, and tell no secret."""

import asyncio
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel
from sqlalchemy import text

from .. import schema, sessions
from ..connection import reason
from ..database import Db
from ..settings import Settings, get_settings

router = APIRouter(tags=["operations"])
log = structlog.get_logger(__name__)


class Status(BaseModel):
    """How the process is."""

    status: str


_NOT_READY: dict[int | str, dict[str, Any]] = {503: {"model": Status, "description": "Not ready"}}


@router.get("/health")
async def health() -> Status:
    """Tells that the process answers; nothing else is looked at."""
    return Status(status="ok")


@router.get("/ready", responses=_NOT_READY)
async def ready(
    response: Response, database: Db, settings: Annotated[Settings, Depends(get_settings)]
) -> Status:
    """Tells whether requests can be served: database reachable, migrated, key present."""
    try:
        sessions.keys(settings)
        async with asyncio.timeout(2), database.engine.connect() as connection:
            revision = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    except Exception as error:
        log.warning("not_ready", error=reason(error))
        response.status_code = 503
        return Status(status="unavailable")
    state = schema.state(revision)
    if state not in ("current", "newer"):
        response.status_code = 503
        return Status(status=f"schema {state}")
    return Status(status="ok")
