"""What tests show of a command that failed."""

import subprocess

import pytest

from tests.commands import how_it_ended, run, succeeded


def _ended(code: int, out: str = "", err: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess(["it"], code, out, err)


def test_the_end_of_both_streams_is_shown_and_no_more_than_fits() -> None:
    many = "\n".join(f"line {n}" for n in range(1000))
    shown = how_it_ended(_ended(3, many, f"{'x' * 100_000}\nthe cause\n"))
    assert shown.startswith("exit code 3: the cause\n")
    assert "line 999" in shown
    assert "line 1\n" not in shown
    assert shown.endswith("the cause")
    assert len(shown) < 7000


def test_what_is_short_is_shown_as_it_is() -> None:
    shown = how_it_ended(_ended(1, "", "no such thing\n"))
    assert shown == "exit code 1: no such thing\nstderr:\nno such thing"
    assert how_it_ended(_ended(1)) == "exit code 1"


def test_what_has_to_go_well_gives_its_output_or_tells_why_not() -> None:
    assert succeeded(_ended(0, "out", "a warning")) == "out"
    with pytest.raises(AssertionError, match="no such thing"):
        succeeded(_ended(1, "", "no such thing"))


def test_of_what_hangs_it_is_told_what_it_printed_before(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object, timeout: float, **__: object) -> None:
        raise subprocess.TimeoutExpired("it", timeout, output=b"so far", stderr=None)

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(AssertionError, match=r"`pulumi up …` hangs for 600 s: [^\n]*so far"):
        run(["pulumi", "up"], 600)
