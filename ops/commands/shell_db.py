"""`shell-db`: psql in the server's pod."""

import os
import shutil
from typing import Annotated

import typer

from console.failure import ExitCode, Failure
from ops import database
from ops.context import target
from ops.terminal import out


def shell_db(
    context: typer.Context,
    command: Annotated[
        str | None, typer.Option("--command", "-c", help="Run this SQL instead of a prompt.")
    ] = None,
) -> None:
    """Open psql on the application's database; it needs no password, so none is shown."""
    to = target(context)
    database.require_ready(to.stack, to.cluster)
    if command:
        out.print(database.sql(to.stack, to.cluster, command), markup=False, end="")
        return
    kubectl = shutil.which("kubectl")
    if not kubectl:
        raise Failure(
            "The prompt needs kubectl on the PATH; install it, or use --command.", ExitCode.USAGE
        )
    server = to.stack.contract.required_server()
    arguments = [kubectl, "exec", "-it", "-n", to.cluster.namespace, server.pod]
    arguments += ["-c", server.container]
    if to.cluster.context:
        arguments += ["--context", to.cluster.context]
    environment = dict(os.environ)
    if to.cluster.kubeconfig and "\n" not in to.cluster.kubeconfig:
        environment["KUBECONFIG"] = to.cluster.kubeconfig
    command = f'{database.CONNECT}exec psql -X -d "$1"'
    arguments += ["--", "sh", "-c", command, server.user, server.name, server.superuser]
    os.execve(kubectl, arguments, environment)  # noqa: S606 - the terminal becomes psql's
