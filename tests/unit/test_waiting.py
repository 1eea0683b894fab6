"""Waiting: what came to pass, and what did not in time."""

import pytest

from console.failure import Failure
from console.waiting import last_answer, wait_until


def test_what_comes_to_pass_is_returned_and_what_does_not_is_said() -> None:
    answers = iter(["", "", "there"])
    assert wait_until(lambda: next(answers), 60, "never", every=0) == "there"
    with pytest.raises(Failure, match="Only 1 of 2"):
        wait_until(lambda: False, -1, lambda: "Only 1 of 2")


def test_the_last_answer_that_there_is_time_for_is_returned_where_none_is_enough() -> None:
    asked = iter(["starting", "ready"])
    assert last_answer(lambda: next(asked), lambda it: it == "ready", -1) == "starting"
    assert next(asked) == "ready"


def test_what_is_to_be_asked_twice_is_though_the_first_answer_takes_all_the_time() -> None:
    asked = iter(["nothing", "ready"])
    assert (
        last_answer(lambda: next(asked), lambda it: it == "ready", -1, every=0, least=2) == "ready"
    )
    silent = iter(["nothing"] * 3)
    last_answer(lambda: next(silent), lambda _: False, -1, every=0, least=2)
    assert [*silent] == ["nothing"]
