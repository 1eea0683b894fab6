"""What the benchmarks make of single runs: medians, ratios, verdicts, and the table of them."""

from dataclasses import replace

import pytest

from bench.page import left_out
from bench.row import LeftOut, Unit
from bench.table import table
from bench.timing import Peer, side_by_side
from bench.wanted import RatioAtMost, ValueAtLeast, ValueAtMost, Wanted
from tests.unit.benchmarks.rows import row


def test_one_disturbed_run_does_not_move_the_ratio() -> None:
    assert row((2.0, 2.0, 60.0), (1.0, 1.0, 1.0)).ratio == 2.0


def test_one_failed_request_of_many_runs_is_not_outvoted() -> None:
    failed = row((0, 0, 3), unit=Unit.FAILED, wanted=ValueAtMost(number=0))
    assert failed.value == 3
    assert failed.met is False
    assert "pulumi up: 3 failed (0 to 3, 3 runs)" in table([failed])


@pytest.mark.parametrize(
    ("wanted", "met"),
    [
        (RatioAtMost(number=2.0), True),
        (RatioAtMost(number=1.9), False),
        (ValueAtMost(number=4), True),
        (ValueAtMost(number=3.9), False),
        (ValueAtLeast(number=4), True),
        (ValueAtLeast(number=4.1), False),
    ],
)
def test_a_row_says_whether_it_reaches_what_is_wanted(wanted: Wanted, met: bool) -> None:
    found = row((4.0,), (2.0,), wanted=wanted)
    assert found.met is met
    assert ("**missed**" in table([found])) is not met


def test_a_ratio_is_judged_as_it_is_shown() -> None:
    found = row((1.804,), (1.0,), wanted=RatioAtMost(number=1.8))
    assert "| 1.80 | ratio ≤ 1.8 | reached |" in table([found])


def test_the_table_shows_median_spread_ratio_and_every_peer() -> None:
    line = table([row((1.0, 2.0, 4.0), (1.0, 1.0, 1.0))]).splitlines()[-1]
    assert "pulumi up: 2.0 s (1.0 to 4.0, 3 runs)" in line
    assert "kubectl apply -k: 1.0 s (1.0 to 1.0, 3 runs)" in line
    assert "| 2.00 | ratio ≤ 1.8 | **missed** |" in line


def test_a_single_run_is_not_shown_with_a_spread() -> None:
    assert "1,536 MiB (one run)" in table([row((1536.0,), unit=Unit.MEBIBYTES)])


def test_peers_take_turns_and_what_comes_before_is_not_measured() -> None:
    order: list[str] = []
    taken = side_by_side(
        {
            "ours": Peer(run=lambda: order.append("ours"), before=lambda: order.append("before")),
            "peer": Peer(run=lambda: order.append("peer")),
        },
        runs=2,
    )
    assert order == ["before", "ours", "peer"] * 2
    assert {name: len(series.runs) for name, series in taken.items()} == {"ours": 2, "peer": 2}


def test_what_was_left_out_is_a_line() -> None:
    assert (
        left_out([LeftOut(what="Helm", why="it is not here")]) == "Left out: Helm: it is not here."
    )


def test_none_failed_is_not_enough_where_the_control_did_not_fail_either() -> None:
    none = row((0.0,), unit=Unit.FAILED, wanted=ValueAtMost(number=0))
    assert none.met is True
    assert replace(none, proven=False).met is False
