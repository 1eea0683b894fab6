"""How many connections the application's pods hold, and how many the server allows."""

from ..quantities import quantity_value

POOL = 8
"""Connections a pod keeps at most: more do not make a pod of half a core faster."""
_ADMINISTRATORS = 5
"""Kept for superusers, so that somebody can look why all others are taken."""
_JOBS = 7
"""The scheduled backup, one by hand and a restore drill, with up to two each, and one to spare."""
_DEFAULT = 100
"""PostgreSQL's own default; from 1 to 10 pods it does, so scaling there restarts no server."""
_STEP = 50
_EACH = 3 * 1024**2
"""Bytes for a connection: pgtune's three operations with work_mem's smallest value, 1 MiB, each.

Somewhat above what an idle one takes: Andres Freund, "Measuring the Memory Overhead of a Postgres
Connection" (2020), finds less than 2 MiB.
"""


def max_connections(pods: int) -> int:
    """Returns what the server must allow for so many pods, one more during a rolling update."""
    needed = (pods + 1) * POOL + _JOBS + _ADMINISTRATORS
    # In steps, since a change restarts the server.
    return max(_DEFAULT, -(-needed // _STEP) * _STEP)


def shared_buffers(memory: int) -> int:
    """Returns the bytes of the server's own cache.

    A quarter of the memory: PostgreSQL manual, "Resource Consumption".
    """
    return max(memory // 4, 16 * 1024**2)


def pool_size(pods: int, memory_limit: str) -> int:
    """Returns how many connections each pod may keep, so that the server's memory does for all.

    0 where there is not one for each pod: see smallest_memory_limit.

    Args:
        pods: The largest number of pods outside a rolling update.
        memory_limit: The server's memory limit, a Kubernetes quantity.
    """
    memory = int(quantity_value(memory_limit))
    fitting = max(memory - shared_buffers(memory), 0) // _EACH
    return max(min(POOL, (fitting - _JOBS) // (pods + 1)), 0)


def smallest_memory_limit(pods: int) -> str:
    """Returns with how much memory there is one connection for each pod, a Kubernetes quantity."""
    needed = (pods + 1 + _JOBS) * _EACH
    enough = -(-max(needed * 4 / 3, needed + shared_buffers(0)) // 1024**2)
    return f"{enough:.0f}Mi"


def reserved_connections() -> dict[str, str]:
    """Returns the server parameter that keeps connections for administrators."""
    return {"superuser_reserved_connections": str(_ADMINISTRATORS)}
