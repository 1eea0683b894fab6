"""`shell-db`: psql in the server's pod."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from cluster_objects.kubeconfig import has_contents
from console.failure import ExitCode, Failure
from ops import database, servers
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
    names, server = to.stack.contract.database, servers.primary(to.stack, to.cluster)
    arguments = [kubectl, "exec", "-it", "-n", to.cluster.namespace, server.pod]
    arguments += ["-c", server.container]
    if to.cluster.context:
        arguments += ["--context", to.cluster.context]
    command = f'{database.CONNECT}exec psql -X -d "$1"'
    arguments += ["--", "sh", "-c", command, names.user, names.name, server.superuser]
    environment, kubeconfig = dict(os.environ), to.cluster.kubeconfig
    if kubeconfig and has_contents(kubeconfig):
        raise typer.Exit(_run(arguments, environment, kubeconfig))
    if kubeconfig:
        environment["KUBECONFIG"] = str(Path(kubeconfig).expanduser())
    os.execve(kubectl, arguments, environment)  # noqa: S606 - the terminal becomes psql's


def _run(arguments: Sequence[str], environment: Mapping[str, str], kubeconfig: str) -> int:
    """Runs kubectl with the contents of a kubeconfig, in a file that is the user's alone."""
    with tempfile.NamedTemporaryFile("w", prefix="kubeconfig-") as file:
        file.write(kubeconfig)
        file.flush()
        # Ctrl-C is psql's; the file has to be there, and to be removed, whatever is pressed.
        before = signal.signal(signal.SIGINT, lambda _signal, _frame: None)
        try:
            return subprocess.run(  # noqa: S603
                arguments, env={**environment, "KUBECONFIG": file.name}, check=False
            ).returncode
        finally:
            signal.signal(signal.SIGINT, before)
