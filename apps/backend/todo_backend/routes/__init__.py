"""The HTTP endpoints."""

from typing import Any

from ..fields import Problem

# Documented for every endpoint under /api.
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Problem, "description": "The request cannot be fulfilled as it is"},
    503: {"model": Problem, "description": "The database is away or all are busy; see Retry-After"},
}
