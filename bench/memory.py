"""Memory: of each pod, as its kubelet counts it, and of the embedded cluster's own processes."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.commands import command
from bench.manifests import wait_ready
from bench.row import LeftOut, Result, Row, Unit
from bench.series import Series
from bench.stack import BenchStack
from distribution.cluster import places

_MEBIBYTE = 1024**2
_ALL_PODS, _ALL_PROCESSES = "all pods", "all processes"


def measure(stack: BenchStack, runs: int) -> Sequence[Result]:
    """Measures once, after the application has been used: memory does not differ between runs."""
    del runs
    stack.up()
    wait_ready(stack.namespace)
    nodes = command("kubectl", "get", "nodes", "-o", "name").split()
    summaries = [
        json.loads(command("kubectl", "get", "--raw", f"/api/v1/{_path(it)}/proxy/stats/summary"))
        for it in nodes
    ]
    pods = _row("memory of the application's pods", _ALL_PODS, of_pods(summaries, stack.namespace))
    if stack.found.get("cluster", {}).get("provider") != "embedded":
        why = "it is not the embedded one, whose processes are this machine's"
        return [pods, LeftOut(what="memory of the cluster's processes", why=why)]
    processes = of_processes(Path("/proc"), int((places.RUN / "namespace.pid").read_text()))
    return [pods, _row("memory of the embedded cluster", _ALL_PROCESSES, processes)]


def of_pods(summaries: Sequence[Mapping[str, Any]], namespace: str) -> dict[str, float]:
    """Returns the MiB of each pod of a namespace, by its workload, numbered where it has several.

    Args:
        summaries: What the nodes' kubelets answer to /stats/summary.
        namespace: The namespace.
    """
    workloads: dict[str, list[float]] = defaultdict(list)
    for summary in summaries:
        for pod in summary["pods"]:
            memory = pod.get("memory", {}).get("workingSetBytes")  # a pod that ended has none
            if pod["podRef"]["namespace"] == namespace and memory is not None:
                name = pod["podRef"]["name"].split("-")[0]
                workloads[name].append(memory / _MEBIBYTE)
    return {
        name if len(found) == 1 else f"{name} {number}": value
        for name, found in sorted(workloads.items())
        for number, value in enumerate(sorted(found), 1)
    }


def of_processes(proc: Path, supervisor: int) -> dict[str, float]:
    """Returns the MiB of what a supervisor has started, by name; what is shared is shared out.

    Args:
        proc: Where the kernel tells of processes.
        supervisor: The process that has started them.
    """
    found: dict[str, float] = defaultdict(float)
    for process in (proc / f"{supervisor}/task/{supervisor}/children").read_text().split():
        try:
            program = (proc / process / "cmdline").read_text().split("\0")[0]
            rollup = (proc / process / "smaps_rollup").read_text()
        except OSError:  # it has ended
            continue
        sizes = [line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:")]
        found[Path(program).name] += sum(map(int, sizes)) / 1024
    return dict(sorted(found.items()))


def _path(node: str) -> str:
    return node.replace("node/", "nodes/")


def _row(what: str, ours: str, found: Mapping[str, float]) -> Row:
    series = {name: Series(runs=(value,)) for name, value in found.items()}
    total = Series(runs=(sum(found.values()),))
    return Row(what=what, unit=Unit.MEBIBYTES, ours=ours, peer=None, series={ours: total, **series})
