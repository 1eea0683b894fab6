"""What `make bench` makes of its measurements."""

from pathlib import Path

import pytest

from bench import __main__ as bench
from bench.row import Row
from bench.table import table
from bench.timing import Timing, side_by_side


def _row(ours: tuple[float, ...], peer: tuple[float, ...]) -> Row:
    return Row(
        what="nothing changed",
        ours="pulumi up",
        peer="kubectl apply -k",
        bar=1.8,
        timings={"pulumi up": Timing(runs=ours), "kubectl apply -k": Timing(runs=peer)},
    )


def test_one_disturbed_run_does_not_move_the_ratio() -> None:
    assert _row((2.0, 2.0, 60.0), (1.0, 1.0, 1.0)).ratio == 2.0


def test_the_table_shows_median_spread_ratio_and_what_is_wanted() -> None:
    line = table([_row((1.0, 2.0, 4.0), (1.0, 1.0, 1.0))]).splitlines()[-1]
    assert "pulumi up: 2.0 s (1.0 to 4.0)" in line
    assert "| 2.00 | ≤ 1.8 |" in line


def test_peers_take_turns_and_what_comes_before_is_not_one_of_them() -> None:
    order: list[str] = []
    taken = side_by_side(
        {"ours": lambda: order.append("ours"), "peer": lambda: order.append("peer")},
        runs=2,
        before=lambda: order.append("before"),
    )
    assert order == ["before", "ours", "before", "peer"] * 2
    assert {name: len(timing.runs) for name, timing in taken.items()} == {"ours": 2, "peer": 2}


def test_a_check_without_anything_to_compare_with_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "NUMBERS", tmp_path / "performance.json")
    monkeypatch.setattr("sys.argv", ["bench", "--check"])
    with pytest.raises(SystemExit):
        bench.main()
    assert "run `make bench` first" in capsys.readouterr().err
