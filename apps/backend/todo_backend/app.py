"""Puts the application together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from . import errors, schema
from .admission import Admission
from .client_address import ProxyAddresses
from .database import Database
from .middleware import AnswerHead, BodyLimit, Observe
from .routes import account, auth, chat, health, todos
from .settings import get_settings


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    schema.known_revisions()
    app.state.database = Database(get_settings())
    app.state.proxies = ProxyAddresses(get_settings().trusted_proxy_host)
    yield
    await app.state.database.close()


def create_app() -> FastAPI:
    """Returns the ASGI application."""
    app = FastAPI(
        title="Todo",
        version="1.0.0",
        description="Sign in with `POST /api/auth/sign-in`; the cookie or the returned token "
        "(`Authorization: Bearer …`) opens everything under `/api`.",
        docs_url=None,  # both pages load scripts from a CDN
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=_lifespan,
    )
    errors.install(app)
    app.add_middleware(AnswerHead)
    app.add_middleware(Admission, most=get_settings().maximum_requests)
    app.add_middleware(BodyLimit)
    app.add_middleware(Observe)
    app.include_router(health.router)
    app.include_router(auth.router)
    app.include_router(account.router)
    app.include_router(todos.router)
    app.include_router(chat.router)
    return app
