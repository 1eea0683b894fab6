"""`logs`: the lines of all pods, also of pods that appear later; or what a search finds of them."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import typer
from rich.text import Text

from cluster_objects.json_tree import Json, part
from console.failure import ExitCode, Failure
from ops.context import target
from ops.contract import InClusterDatabase
from ops.diagnosis import container_states
from ops.kube import Cluster
from ops.log_search import LogStore, of_component, of_request
from ops.stack import Stack
from ops.terminal import COLOURS, out
from ops.workloads import part_of

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def logs(
    context: typer.Context,
    part: Annotated[
        str | None,
        typer.Argument(help="backend, frontend, database, backup, drill; default: all."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with new lines and new pods.")
    ] = False,
    since: Annotated[str, typer.Option(help="How far back, e.g. 30s, 10m, 2h, 1d.")] = "1h",
    tail: Annotated[
        int, typer.Option(min=0, help="Lines at most: per pod at the start, or found.")
    ] = 200,
    search: Annotated[
        str | None,
        typer.Option(help="Only lines that this LogsQL finds, also of pods that are gone."),
    ] = None,
    request: Annotated[
        str | None,
        typer.Option(help="Only lines of the request with this X-Request-ID, as --search."),
    ] = None,
) -> None:
    """Print the logs of all pods, each line with its pod.

    --search and --request ask the log store that `make addons` installs.
    """
    to = target(context)
    if search is not None or request is not None:
        if follow:
            raise Failure(
                "--follow goes on with what pods write, --search and --request look at what is "
                "kept: take one of them.",
                ExitCode.USAGE,
            )
        only = _only(to.stack, part, request)
        _search(to.cluster, search or "*", seconds=seconds(since), most=tail, only=only)
        return
    reader = _Reader(to.cluster, seconds(since), tail, follow=follow)
    while True:
        pods = [pod for pod in to.cluster.pods() if part in {None, part_of(to.stack, pod)}]
        known = _parts(to.stack)
        # There may be pods of one that is known in a while.
        if not pods and not (follow and part in {None, *known}):
            raise Failure(
                f"There are no pods{f' of {part}' if part else ''}; the parts are "
                f"{', '.join(known)}.",
                ExitCode.USAGE,
            )
        reader.start(pods)
        if not follow:
            reader.wait()
            return
        time.sleep(2)


def _only(stack: Stack, part: str | None, request: str | None) -> dict[str, str]:
    """Returns what fields the lines have to have that are searched."""
    only = of_request(request) if request else {}
    if part is None:
        return only
    if part not in _parts(stack):
        raise Failure(
            f"There is no part {part}; the parts are {', '.join(_parts(stack))}.", ExitCode.USAGE
        )
    services = stack.contract.services
    component = next((it.component for it in services if it.name == part), part)
    return only | of_component(component)


def _search(
    cluster: Cluster, query: str, *, seconds: int, most: int, only: Mapping[str, str]
) -> None:
    store = LogStore(cluster)
    try:
        found = store.search(query, seconds=seconds, most=most, only=only)
    finally:
        store.close()
    colours: dict[str, str] = {}
    for it in found:
        colour = colours.setdefault(it.pod, COLOURS[len(colours) % len(COLOURS)])
        words = [it.time, it.text, *(f"{name}={value}" for name, value in it.fields)]
        text = " ".join(filter(None, words))
        out.print(Text.assemble((f"{it.pod} " if it.pod else "", colour), text))


def _parts(stack: Stack) -> list[str]:
    parts = {it.name for it in stack.contract.services}
    server = stack.contract.server
    if isinstance(server, InClusterDatabase) and server.backup:
        parts.add(server.backup.container)
    if drill := stack.contract.drill:
        parts.add(drill.container)
    return sorted(parts)


def seconds(text: str) -> int:
    """Returns `10m` as seconds.

    Raises:
        Failure: It is not a number with one of the units s, m, h, d.
    """
    number, unit = text[:-1], text[-1:]
    if not number.isdigit() or unit not in _UNITS or int(number) == 0:
        raise Failure(
            f"--since {text} is not a time; write a number and s, m, h or d, like 10m.",
            ExitCode.USAGE,
        )
    return int(number) * _UNITS[unit]


@dataclass
class _Reader:
    """Reads each container in a thread of its own."""

    cluster: Cluster
    since_seconds: int
    tail: int
    follow: bool
    _threads: dict[tuple[str, str], threading.Thread] = field(
        default_factory=dict[tuple[str, str], threading.Thread]
    )
    _last: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, pods: list[Json]) -> None:
        """Starts what is not being read; a stream that broke goes on after its last line."""
        for pod in sorted(pods, key=lambda p: p["metadata"]["name"]):
            for state in container_states(pod):
                if "waiting" in part(state, "state") and not state.get("restartCount"):
                    continue
                key = (pod["metadata"]["name"], state["name"])
                thread = self._threads.get(key)
                finished = "terminated" in part(state, "state") and key in self._last
                if (thread and thread.is_alive()) or (thread and finished):
                    continue
                colour = COLOURS[len(self._threads) % len(COLOURS)]
                thread = threading.Thread(target=self._read, args=(*key, colour), daemon=True)
                self._threads[key] = thread
                thread.start()

    def wait(self) -> None:
        """Waits until all logs are printed."""
        for thread in self._threads.values():
            thread.join()

    def _read(self, pod: str, container: str, colour: str) -> None:
        key = (pod, container)
        query: dict[str, str | int | bool] = {
            "container": container,
            "follow": self.follow,
            "timestamps": True,
        }
        if key in self._last:
            query["sinceTime"] = self._last[key][:19] + "Z"
        else:
            query |= {"sinceSeconds": self.since_seconds, "tailLines": self.tail}
        resumed_after = self._last.get(key, "")
        label = pod if container in pod else f"{pod}/{container}"
        try:
            for line in self.cluster.log(pod, query):
                stamp, _, text = line.partition(" ")
                if stamp <= resumed_after:
                    continue
                self._last[key] = stamp
                with self._lock:
                    out.print(Text.assemble((f"{label} ", colour), text))
        except Exception as error:
            # The pod went, or the API server restarts: `start` tries again while there is a pod.
            if not self.follow and isinstance(error, Failure):
                with self._lock:
                    out.print(Text.assemble((f"{label} ", colour), (str(error), "dim")))
