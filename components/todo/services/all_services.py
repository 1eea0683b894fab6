"""The list of the services."""

from components.todo.service import AnyService
from components.todo.services.backend import backend
from components.todo.services.database import database
from components.todo.services.frontend import frontend
from components.todo.settings.settings import Settings


def services(settings: Settings) -> tuple[AnyService, ...]:
    """Returns the services of a stack; each after those that it waits for."""
    return (database(settings), backend(settings), frontend(settings))
