"""Serves the API: ``python -m todo_backend``."""

import uvicorn

from . import logs
from .app import create_app
from .settings import get_settings


def main() -> None:
    """Serve until SIGTERM, then finish the requests under way."""
    logs.configure(get_settings().log_level)
    uvicorn.run(
        create_app(),
        host="0.0.0.0",  # noqa: S104 - the container's only interface
        port=8000,
        workers=1,
        log_config=None,
        access_log=False,  # our own line carries more
        server_header=False,
        timeout_graceful_shutdown=20,
    )


if __name__ == "__main__":
    main()
