"""What a Docker context stands for, for those that do not know contexts."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .local_commands import answer_of


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """A Docker daemon."""

    host: str
    certificates: str | None
    """Folder with ca.pem, cert.pem and key.pem; None: it is spoken to without TLS."""


def daemon_of(context: str) -> Daemon | None:
    """Returns the daemon of a Docker context, None if there is no such context."""
    try:
        found: Any = json.loads(answer_of(["docker", "context", "inspect", context]) or "")[0]
        host = str(found["Endpoints"]["docker"]["Host"])
        # Names of files by endpoint; empty without TLS (cli/command/context/inspect.go).
        with_tls = "docker" in (found["TLSMaterial"] or ())
        folder = Path(found["Storage"]["TLSPath"], "docker") if with_tls else None
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None
    return Daemon(host=host, certificates=str(folder) if folder else None)
