"""Serves the API: ``python -m todo_backend``."""

from prometheus_client import start_http_server

from . import logs
from .app import create_app
from .server import create_server
from .settings import get_settings


def main() -> None:
    """Serves until SIGTERM, then finishes the requests under way."""
    settings = get_settings()
    logs.configure(settings.log_level)
    if settings.metrics_port:
        start_http_server(settings.metrics_port, settings.listen_host)
    create_server(create_app(), settings, host=settings.listen_host, port=8000).run()


if __name__ == "__main__":
    main()
