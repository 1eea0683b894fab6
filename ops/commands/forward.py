"""`forward`: the services on ports of this machine, also after their pods are replaced."""

import time
from typing import Annotated

import typer

from console.failure import ExitCode, Failure
from ops.context import target
from ops.contract import Service
from ops.forwarder import Forwarder
from ops.kube import Cluster
from ops.stack import Stack
from ops.terminal import note, say

SERVICES_ARE_OPTIONS = {"allow_extra_args": True, "ignore_unknown_options": True}
"""The command line does not know the services; the stack does."""


def forward(
    context: typer.Context,
    seconds: Annotated[float, typer.Option(help="Stop after this time; 0: until Ctrl-C.")] = 0,
) -> None:
    """Forward localhost ports to the services; every connection goes to a pod that is ready.

    --frontend, --backend, --database (every service of the stack has an option): its local port;
    0 leaves it out.
    """
    to = target(context)
    ports = local_ports(to.stack, context.args)
    running: list[Forwarder] = []
    for service in to.stack.contract.services:
        if port := ports.get(service.name):
            running.append(_start(to.cluster, service, port))
            scheme = "postgresql" if service.role == "database" else "http"
            say(f"{service.name:<10}{scheme}://localhost:{running[-1].port}")
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


def local_ports(stack: Stack, arguments: list[str]) -> dict[str, int]:
    """Returns name of a service to its port on this machine.

    Args:
        stack: The stack.
        arguments: `--name 1234` or `--name=1234`, for any service.

    Raises:
        Failure: There is no such service, or it is no port.
    """
    ports = {
        it.name: it.local_port for it in stack.contract.services if it.service and it.local_port
    }
    words = [word for argument in arguments for word in argument.split("=", 1)]
    for option, number in zip(words[::2], [*words[1::2], ""], strict=False):
        if option.removeprefix("--") not in ports:
            known = ", ".join(f"--{name}" for name in ports)
            raise Failure(f"There is no option {option}; there are {known}.", ExitCode.USAGE)
        if not number.isdigit() or int(number) > 65535:
            raise Failure(f"{option} {number} is not a port; write a number.", ExitCode.USAGE)
        ports[option.removeprefix("--")] = int(number)
    return ports


def _start(cluster: Cluster, service: Service, local: int) -> Forwarder:
    name, port = str(service.service), int(service.port or 0)
    try:
        return Forwarder(cluster, name, port, local, tell=note)
    except OSError as error:
        raise Failure(
            f"Port {local} of this machine cannot be used ({error.strerror}); choose another "
            f"with --{service.name} <port>, or 0 to leave it out.",
            ExitCode.USAGE,
        ) from None
