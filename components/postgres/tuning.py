"""PostgreSQL parameters derived from what the container may use."""

from decimal import Decimal

from ..values.postgres.connections import reserved_connections, shared_buffers
from ..values.quantities import quantity_value

_MIB = 1024**2


def tuning(memory_limit: str, volume_size: str, connections: int = 100) -> dict[str, str]:
    """Returns server parameters for a memory limit and a volume size.

    The rules and where they come from:

    * `shared_buffers`: see values/postgres/connections.py, which has to fit in what it leaves.
    * `effective_cache_size`: half of the memory, the wiki's "conservative" setting, since a
      container's page cache counts against its own limit. PostgreSQL wiki, "Tuning Your PostgreSQL
      Server".
    * `maintenance_work_mem`: a sixteenth. pgtune (https://pgtune.leopard.in.ua), web profile.
    * `work_mem`: what shared_buffers leave, over three operations for each connection. pgtune, web
      profile.
    * `max_wal_size`: a quarter of the volume; the default of 1 GB could fill a small volume.
      PostgreSQL manual, "WAL Configuration".
    * `max_connections`: see there, too; written out because work_mem depends on it.

    Args:
        memory_limit: The container's memory limit, a Kubernetes quantity.
        volume_size: The size of the data volume, a Kubernetes quantity.
        connections: How many clients may be connected.
    """
    memory = int(quantity_value(memory_limit) / _MIB)
    volume = int(quantity_value(volume_size) / _MIB)
    shared = shared_buffers(int(quantity_value(memory_limit))) // _MIB
    work = max((memory - shared) * 1024 // (connections * 3), 1024)
    wal = min(max(volume // 4, 64), 4096)
    return {
        "max_connections": str(connections),
        "shared_buffers": f"{shared}MB",
        "effective_cache_size": f"{max(memory // 2, 16)}MB",
        "maintenance_work_mem": f"{max(memory // 16, 8)}MB",
        "work_mem": f"{work}kB",
        "max_wal_size": f"{wal}MB",
        "min_wal_size": f"{max(wal // 4, 32)}MB",
        "password_encryption": "scram-sha-256",
        **reserved_connections(),
    }


def shared_memory_size(memory_limit: str) -> str:
    """Returns the size of /dev/shm: an eighth of the memory, at least Docker's default of 64Mi.

    Parallel queries keep their shared hash tables there; what is used counts as the pod's memory.
    """
    mebibytes = int(quantity_value(memory_limit) / Decimal(_MIB)) // 8
    return f"{max(mebibytes, 64)}Mi"
