"""The recorded run: written, read, shown on its page, and compared with another."""

from pathlib import Path

import pytest

from bench import __main__ as bench
from bench import page, recorded
from bench.comparison import worse
from bench.recorded import Recorded
from bench.row import LeftOut, Row, Unit
from bench.wanted import RatioAtMost, ValueAtLeast, ValueAtMost
from tests.unit.benchmarks.rows import row


def _run(*rows: Row) -> Recorded:
    return Recorded(
        date="2026-01-31",
        commit="abc1234",
        machine="2 cores",
        rows=[*rows],
        left_out=[LeftOut(what="Helm", why="it is not here")],
    )


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    run = _run(
        row((2.0, 2.5, 3.0), (1.0, 1.5, 2.0), wanted=RatioAtMost(number=1.8)),
        row((0.0,), unit=Unit.FAILED, wanted=ValueAtMost(number=0)),
        row((512.0,), (128.0,), unit=Unit.PER_SECOND, wanted=ValueAtLeast(number=400)),
        row((12.0,), unit=Unit.MEBIBYTES),
    )
    recorded.write(run, tmp_path / "performance.json")
    assert recorded.read(tmp_path / "performance.json") == run


def test_a_run_replaces_the_one_before_and_leaves_the_rest_of_the_page(tmp_path: Path) -> None:
    file = tmp_path / "performance.md"
    file.write_text(
        "# Performance\n\n<!-- make bench: begin -->\nNone yet.\n<!-- make bench: end -->\nAfter\n"
    )
    for ours in (7.0, 3.0):
        page.write(_run(row((ours,), (2.0,))), file, numbers="numbers.json", plot="plot.svg")
    text = file.read_text()
    assert text.startswith(
        "# Performance\n\n<!-- make bench: begin -->\n2026-01-31, commit abc1234"
    )
    assert text.endswith("<!-- make bench: end -->\nAfter\n")
    assert "pulumi up: 3.0 s" in text
    assert "7.0 s" not in text
    assert "None yet" not in text
    assert "(plot.svg)" in text
    assert "(numbers.json)" in text
    assert "Left out: Helm: it is not here." in text


def test_the_page_has_the_marks_between_which_a_run_is_written(tmp_path: Path) -> None:
    copy = tmp_path / "performance.md"
    copy.write_text(bench.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    page.write(_run(row((3.0,), (2.0,))), copy, numbers="numbers.json", plot="plot.svg")
    text = copy.read_text(encoding="utf-8")
    assert text.count("make bench: begin") == text.count("make bench: end") == 1
    assert text.splitlines()[0] == bench.PAGE.read_text(encoding="utf-8").splitlines()[0]


def test_a_ratio_that_grew_beyond_the_tolerance_is_said() -> None:
    before = row((2.0,), (2.0,))
    assert worse([row((2.4,), (2.0,))], [before]) == []
    assert worse([row((2.6,), (2.0,))], [before]) == [
        "nothing changed: ratio 1.00 before, 1.30 now"
    ]


def test_a_slower_machine_is_not_a_slower_program() -> None:
    assert worse([row((20.0,), (10.0,))], [row((2.0,), (1.0,))]) == []


def test_of_requests_fewer_are_worse() -> None:
    def of(ours: float) -> Row:
        return row((ours,), (100.0,), unit=Unit.PER_SECOND)

    assert worse([of(900.0)], [of(500.0)]) == []
    assert worse([of(300.0)], [of(500.0)])


def test_any_more_failed_requests_are_worse() -> None:
    def of(failed: float) -> Row:
        return row((0.0, failed), unit=Unit.FAILED)

    assert worse([of(0)], [of(0)]) == []
    assert worse([of(1)], [of(0)]) == ["nothing changed: 0 before, 1 now"]


def test_rows_of_one_run_alone_are_not_compared() -> None:
    new, old = row((9.0,), (1.0,), what="new"), row((1.0,), (9.0,), what="old")
    assert worse([new], [old]) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "run `make bench` first"), ("{}", "was not written by this version")],
)
def test_a_check_without_anything_to_compare_with_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, said: str
) -> None:
    file = tmp_path / "performance.json"
    if text is not None:
        file.write_text(text)
    monkeypatch.setattr(bench, "NUMBERS", file)
    monkeypatch.setattr("sys.argv", ["bench", "--check"])
    with pytest.raises(SystemExit, match=said):
        bench.main()


def test_rows_that_do_not_exist_are_named_beside_those_that_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "--rows", "first,fast"])
    with pytest.raises(SystemExit, match=r"no rows fast; choose ROWS from previews, first"):
        bench.main()
