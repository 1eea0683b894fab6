"""Draws metrics.svg: the dashboard's own expressions, asked of a Prometheus that runs.

    kubectl -n monitoring port-forward service/prometheus 9090 &
    PYTHONPATH=. .venv/bin/python docs/images/metrics.py todo-full 30

The arguments are the application's namespace, and how many minutes there are to be. Grafana, which
draws the same dashboard for people, is not asked: what it draws has its own look, not its data.
"""

# matplotlib's types leave open what most of its keyword arguments take.
# pyright: reportUnknownMemberType=false

import http.client
import json
import re
import sys
import time
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from addons.monitoring.dashboards import PANELS, Panel

TARGET = Path(__file__).parent / "metrics.svg"
STEP = 30
"""Seconds from one point to the next."""
SCALES = {
    "percentunit": (100, "%"),
    "bytes": (1 / 1024**2, "MiB"),
    "reqps": (1, "1/s"),
    "s": (1, "s"),
}


def ask(expression: str, minutes: int) -> list[dict[str, Any]]:
    """Returns the curves of an expression."""
    end = int(time.time())
    begin = {"start": end - 60 * minutes, "end": end, "step": STEP}
    query = urllib.parse.urlencode({"query": expression, **begin})
    connection = http.client.HTTPConnection("127.0.0.1", 9090)
    connection.request("GET", f"/api/v1/query_range?{query}")
    return json.load(connection.getresponse())["data"]["result"]


def named(legend: str, labels: Mapping[str, str]) -> str:
    """Returns what a curve is called."""
    return re.sub(r"\{\{(\w+)\}\}", lambda it: labels.get(it[1], ""), legend)


def draw(axes: Axes, panel: Panel, namespace: str, minutes: int) -> None:
    """Draws one panel; time is in minutes before now."""
    factor, unit = SCALES.get(panel.unit, (1, ""))
    now = time.time()
    for expression, legend in panel.curves:
        for curve in ask(expression.replace("$namespace", namespace), minutes):
            name = named(legend, curve["metric"])
            points = [(at, float(value)) for at, value in curve["values"] if value != "NaN"]
            times = [(at - now) / 60 for at, _ in points]
            axes.plot(times, [value * factor for _, value in points], label=name, linewidth=1)
    axes.set_title(panel.title + (f" [{unit}]" if unit else ""), fontsize=8, loc="left")
    axes.set_xlim(-minutes, 0)
    axes.set_ylim(bottom=0)
    axes.tick_params(labelsize=6)
    axes.grid(visible=True, linewidth=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize=5, loc="upper left", frameon=False)


def main(namespace: str, minutes: int) -> None:
    """Writes the picture."""
    mpl.rcParams["svg.hashsalt"] = "todo"
    mpl.rcParams["svg.fonttype"] = "none"
    rows = -(-len(PANELS) // 2)
    figure = Figure(figsize=(9, 1.7 * rows), layout="constrained")
    grid = figure.subplots(rows, 2).flat
    for axes, panel in zip(grid, PANELS, strict=False):
        draw(axes, panel, namespace, minutes)
    figure.savefig(TARGET, metadata={"Date": None})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
