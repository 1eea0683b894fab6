"""A whole run, of measurements that measure nothing."""

import sys
import types
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench import make_up, recorded
from bench.commands import Failed
from bench.recorded import Recorded
from bench.row import LeftOut, Result, Row
from bench.stack import BenchStack
from bench.subjects import Subject
from tests.unit.benchmarks.rows import row


@contextmanager
def _no_stack(like: str) -> Generator[None]:
    yield


def _good(stack: object, runs: int) -> Sequence[Result]:
    return [row((2.0,) * runs, (2.0,) * runs, what="good")]


def _bad(stack: object, runs: int) -> Sequence[Result]:
    raise SystemExit("`pulumi up …` failed: no such host as secret.example.org")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose second rows fail; its page is where the test may write."""
    (tmp_path / "performance.md").write_text(
        "<!-- make bench: begin -->\n<!-- make bench: end -->\n"
    )
    subjects = (
        Subject(name="good", runs=2, measure=_good),
        Subject(name="bad", runs=2, measure=_bad),
    )
    monkeypatch.setattr(bench, "SUBJECTS", subjects)
    monkeypatch.setattr(
        bench, "chosen", lambda names: [it for it in subjects if not names or it.name in names]
    )
    monkeypatch.setattr(bench, "bench_stack", _no_stack)
    monkeypatch.setattr(bench, "NUMBERS", tmp_path / "performance.json")
    monkeypatch.setattr(bench, "PAGE", tmp_path / "performance.md")
    monkeypatch.setattr("signal.signal", lambda *_: None)
    return tmp_path


def _record(folder: Path, *rows: Row) -> None:
    recorded.write(
        Recorded(date="2026-01-31", commit="a", machine="m", rows=rows, left_out=[]),
        folder / "performance.json",
    )


def _check(monkeypatch: pytest.MonkeyPatch, *options: str) -> int | str | None:
    monkeypatch.setattr("sys.argv", ["bench", *options])
    with pytest.raises(SystemExit) as ended:
        bench.main()
    return ended.value.code


def test_a_check_whose_rows_failed_does_not_find_that_nothing_is_worse(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _record(run, row((2.0,), (2.0,), what="good"))
    assert _check(monkeypatch, "--check") == 1
    said = capsys.readouterr()
    assert "bad: a command of it failed" in said.out
    assert "Nothing is worse" not in said.out
    assert "no such host" in said.err


def test_a_check_of_rows_that_are_as_before_ends_well(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _record(run, row((2.0,), (2.0,), what="good"))
    assert _check(monkeypatch, "--check", "--rows", "good") == 0
    assert "Nothing is worse" in capsys.readouterr().out


def test_a_check_of_rows_that_are_worse_names_them(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _record(run, row((1.0,), (2.0,), what="good"))
    assert _check(monkeypatch, "--check", "--rows", "good") == 1
    assert "good: ratio 0.50 before, 1.00 now" in capsys.readouterr().out


def test_a_run_of_some_rows_writes_nothing(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _check(monkeypatch, "--rows", "good") == 0
    assert not (run / "performance.json").exists()
    assert "good" not in (run / "performance.md").read_text()


def test_a_run_whose_rows_failed_writes_the_rest_without_words_of_other_programs(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What draws is not there in the tests' environment.
    plot = types.SimpleNamespace(draw=lambda rows, file: file)
    monkeypatch.setitem(sys.modules, "bench.plot", plot)
    monkeypatch.setattr("bench.plot", plot, raising=False)
    assert "bad: a command of it failed" in str(_check(monkeypatch))
    page = (run / "performance.md").read_text()
    assert "| good |" in page
    assert "Left out: bad: a command of it failed." in page
    assert "secret.example.org" not in page
    assert len(recorded.read(run / "performance.json").rows) == 1


def test_an_interruption_ends_the_run_and_is_no_row_that_failed(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(stack: object, runs: int) -> Sequence[Result]:
        sys.exit(130)

    subject = Subject(name="good", runs=1, measure=interrupted)
    monkeypatch.setattr(bench, "chosen", lambda names: [subject, subject])
    assert _check(monkeypatch) == 130
    assert not (run / "performance.json").exists()


def test_a_make_up_that_would_change_the_deployed_stack_is_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make up` would change a stack that is not as declared; an interruption still ends all."""
    stack = BenchStack(
        project=tmp_path, like="minikube", found={}, given={}, environment={}, person={}
    )
    monkeypatch.setattr(make_up, "copied_state", lambda *_: nullcontext({}))

    def ends(how: SystemExit) -> Callable[..., str]:
        def command(*arguments: str, **_: object) -> str:
            assert "--expect-no-changes" in arguments, "it was run"
            assert "--refresh" in arguments
            raise how

        return command

    monkeypatch.setattr(make_up, "command", ends(Failed("changes were found")))
    with make_up.nothing_to_do(stack) as found:
        assert isinstance(found, LeftOut)
    monkeypatch.setattr(make_up, "command", ends(SystemExit(130)))
    with pytest.raises(SystemExit) as ended, make_up.nothing_to_do(stack):
        pass
    assert ended.value.code == 130
