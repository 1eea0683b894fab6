"""`forward`: the services on ports of this machine, also after their pods are replaced."""

import time
from typing import Annotated

import typer

from ops.context import target
from ops.failure import ExitCode, Failure
from ops.forwarder import Forwarder
from ops.terminal import note, say


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(forward)


def forward(
    context: typer.Context,
    frontend: Annotated[int, typer.Option(help="Local port of the frontend; 0: none.")] = 3000,
    backend: Annotated[int, typer.Option(help="Local port of the backend; 0: none.")] = 8000,
    database: Annotated[int, typer.Option(help="Local port of PostgreSQL; 0: none.")] = 5432,
    seconds: Annotated[float, typer.Option(help="Stop after this time; 0: until Ctrl-C.")] = 0,
) -> None:
    """Forward localhost ports to the services; every connection goes to a pod that is ready."""
    to = target(context)
    wanted = {"frontend": frontend, "backend": backend, "database": database}
    running: list[Forwarder] = []
    for role, local in wanted.items():
        if local == 0 or role not in to.stack.workloads:
            continue
        service = to.stack.workloads[role]
        try:
            forwarder = Forwarder(to.cluster, service, to.stack.ports[role], local, tell=note)
        except OSError as error:
            raise Failure(
                f"Port {local} of this machine cannot be used ({error.strerror}); choose another "
                f"with --{role} <port>, or 0 to leave it out.",
                ExitCode.USAGE,
            ) from None
        running.append(forwarder)
        scheme = "postgresql" if role == "database" else "http"
        say(f"{role:<10}{scheme}://localhost:{forwarder.port}")
    note("Ctrl-C stops it.")
    begin = time.monotonic()
    try:
        while not seconds or time.monotonic() - begin < seconds:
            time.sleep(0.2)
    except KeyboardInterrupt:
        pass
    finally:
        for forwarder in running:
            forwarder.close()
