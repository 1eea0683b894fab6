"""Names of databases next to the live one: they fit, they differ, for every accepted name."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from components.values.postgres.names import DatabaseName
from ops.database_names import LIMIT, Purpose, derived

LONG = "_" + 62 * "0"
ACCEPTED = st.from_regex(r"[a-z_][a-z0-9_]{0,62}", fullmatch=True)


@given(ACCEPTED)
def test_every_name_fits_and_differs(live: str) -> None:
    names = [derived(live, purpose).name for purpose in Purpose]
    assert all(len(name.encode()) <= LIMIT for name in names)
    assert len({live, *names}) == 1 + len(Purpose)


@given(ACCEPTED)
@example(LONG)
def test_no_live_database_has_a_shortened_name(live: str) -> None:
    for purpose in Purpose:
        name = derived(live, purpose).name
        if name != f"{live}_{purpose}":
            with pytest.raises(ValueError, match="a name of PostgreSQL that needs no quotes"):
                TypeAdapter[str](DatabaseName).validate_python(name)


def test_short_names_are_as_documented() -> None:
    assert derived("todo", Purpose.BEFORE_RESTORE).name == "todo_before_restore"


def test_long_names_that_begin_alike_do_not_meet() -> None:
    one, two = (derived("n" * 62 + end, Purpose.RESTORED) for end in "ab")
    assert one.name != two.name
    assert one.mark != two.mark
