"""What the plot shows."""

from bench import previews
from bench.plot_data import growth, panels
from bench.row import Row, Unit
from bench.series import Series
from bench.wanted import RatioAtMost, ValueAtMost
from tests.unit.benchmarks.rows import row


def _previews() -> Row:
    name = previews.series_name
    return Row(
        what="previews",
        unit=Unit.SECONDS,
        ours=name(200),
        peer=name(50),
        series={name(n): Series(runs=(n / 10, n / 5)) for n in previews.NUMBERS},
        wanted=RatioAtMost(number=4),
    )


def test_bars_have_median_spread_and_what_is_wanted() -> None:
    [panel] = panels([row((4.0, 5.0, 9.0), wanted=ValueAtMost(number=6))])
    [bar] = panel.bars
    assert (panel.title, panel.axis) == ("Seconds", "s")
    assert (bar.value, bar.low, bar.high, bar.most) == (5.0, 4.0, 9.0, 6)
    assert bar.shown == "5.0"


def test_ratios_and_units_have_panels_of_their_own() -> None:
    found = panels(
        [
            row((3.0,), (2.0,), what="timed"),
            row((300.0,), (200.0,), what="asked", unit=Unit.PER_SECOND),
            row((1.0,), what="held", unit=Unit.MEBIBYTES),
        ]
    )
    assert {panel.title: [bar.label.split("\n")[0] for bar in panel.bars] for panel in found} == {
        "Beside a peer: ratio of the medians": ["timed", "asked"],
        "Seconds": ["timed", "kubectl apply -k"],
        "Requests a second": ["asked", "kubectl apply -k"],
        "Memory": ["held"],
    }


def test_this_program_is_told_from_its_peers() -> None:
    bars = panels([row((3.0,), (2.0,))])[1].bars
    assert [bar.ours for bar in bars] == [True, False]


def test_previews_are_a_line_and_no_bars() -> None:
    line = growth([_previews()])
    assert line is not None
    assert line.numbers == (1, 10, 50, 100, 200)
    assert line.seconds[-1].spread == (20.0, 40.0)
    assert [panel.title for panel in panels([_previews()])] == [
        "Beside a peer: ratio of the medians"
    ]


def test_without_previews_there_is_no_line() -> None:
    assert growth([row((3.0,), (2.0,))]) is None
