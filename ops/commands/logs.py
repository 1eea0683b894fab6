"""`logs`: the lines of all pods, coloured by pod, also of pods that appear later."""

import threading
import time
from dataclasses import dataclass, field
from typing import Annotated

import typer
from rich.text import Text

from cluster_objects.json_tree import Json, part
from console.failure import ExitCode, Failure
from ops.context import target
from ops.diagnosis import container_states
from ops.kube import Cluster
from ops.stack import Stack
from ops.terminal import COLOURS, out
from ops.workloads import part_of

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def logs(
    context: typer.Context,
    part: Annotated[
        str | None, typer.Argument(help="backend, frontend, database or backup; default: all.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with new lines and new pods.")
    ] = False,
    since: Annotated[str, typer.Option(help="How far back, e.g. 30s, 10m, 2h, 1d.")] = "1h",
    tail: Annotated[int, typer.Option(min=0, help="Lines per pod at most at the start.")] = 200,
) -> None:
    """Print the logs of all pods, each line with its pod."""
    to = target(context)
    reader = _Reader(to.cluster, seconds(since), tail, follow=follow)
    while True:
        pods = [pod for pod in to.cluster.pods() if part in {None, part_of(to.stack, pod)}]
        if not pods and not follow:
            raise Failure(
                f"There are no pods{f' of {part}' if part else ''}; the parts are "
                f"{', '.join(_parts(to.stack))}.",
                ExitCode.USAGE,
            )
        reader.start(pods)
        if not follow:
            reader.wait()
            return
        time.sleep(2)


def _parts(stack: Stack) -> list[str]:
    backup = stack.contract.server.backup if stack.contract.server else None
    return sorted(
        {*(it.name for it in stack.contract.services), *([backup.container] if backup else [])}
    )


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
