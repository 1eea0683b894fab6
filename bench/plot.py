"""Draws a run, by matplotlib."""

# pyright: reportUnknownMemberType=false
# matplotlib's types leave open what most of its keyword arguments take.

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.plot_data import Growth, Panel, growth, panels
from bench.row import Row

_OURS, _OTHERS, _WANTED = "#2f6f4f", "#b8b8b8", "#c0392b"
_BAR_INCHES, _PANEL_INCHES, _WIDTH_INCHES = 0.28, 0.9, 9.0


def draw(rows: Sequence[Row], file: Path) -> None:
    """Draws rows below each other into a file, whose suffix says the format.

    Args:
        rows: What was measured.
        file: An SVG has its text as text, and is the same for the same rows.
    """
    found, line = panels(rows), growth(rows)
    heights = [_PANEL_INCHES + _BAR_INCHES * len(it.bars) for it in found]
    heights += [3.0] if line else []
    mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "todo", "font.size": 8}
    figure = Figure(figsize=(_WIDTH_INCHES, sum(heights)), layout="constrained")
    axes = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    for panel, at in zip(found, axes, strict=False):
        _bars(panel, at)
    if line:
        _line(line, axes[-1])
    file.parent.mkdir(parents=True, exist_ok=True)
    svg = file.suffix == ".svg"
    figure.savefig(file, dpi=110, facecolor="white", metadata={"Date": None} if svg else None)


def _bars(panel: Panel, at: Axes) -> None:
    places = range(len(panel.bars))
    values = [bar.value for bar in panel.bars]
    spread = [
        [bar.value - bar.low for bar in panel.bars],
        [bar.high - bar.value for bar in panel.bars],
    ]
    colours = [_OURS if bar.ours else _OTHERS for bar in panel.bars]
    at.barh(places, values, xerr=spread, color=colours, height=0.7, ecolor="#444444", capsize=2)
    for place, bar in enumerate(panel.bars):
        at.text(bar.high, place, f" {bar.shown}", va="center")
        if bar.most is not None:
            at.plot([bar.most] * 2, [place - 0.45, place + 0.45], color=_WANTED, linewidth=2)
    at.set_yticks(places, [bar.label for bar in panel.bars])
    at.invert_yaxis()
    at.margins(x=0.12)
    # Also where all bars are of no length.
    at.set_xlim(left=0, right=None if any(values) else 1)
    at.set_title(panel.title, loc="left", fontweight="bold")
    at.set_xlabel(panel.axis)
    at.spines[["top", "right"]].set_visible(False)


def _line(line: Growth, at: Axes) -> None:
    medians = [it.median for it in line.seconds]
    low = [it.median - it.spread[0] for it in line.seconds]
    high = [it.spread[1] - it.median for it in line.seconds]
    at.errorbar(line.numbers, medians, yerr=[low, high], color=_OURS, marker="o", capsize=3)
    at.set_title(
        "Preview by number of AppDeployments, without checkpoints", loc="left", fontweight="bold"
    )
    at.set_xlabel("applications")
    at.set_ylabel("s")
    at.set_ylim(bottom=0)
    at.spines[["top", "right"]].set_visible(False)
