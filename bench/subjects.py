"""What can be measured, in the order of a run; a name is what `ROWS=` chooses by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench import (
    edits,
    first,
    memory,
    previews,
    requests,
    restores,
    rollouts,
    unchanged,
)
from bench.row import Result
from bench.stack import BenchStack


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Some rows that are measured together."""

    name: str
    runs: int
    """Of each peer, unless a person wants another number."""
    measure: Callable[[BenchStack, int], Sequence[Result]]


SUBJECTS = (
    Subject(name="previews", runs=5, measure=previews.measure),
    Subject(name="first", runs=5, measure=first.measure),
    Subject(name="unchanged", runs=5, measure=unchanged.measure),
    Subject(name="requests", runs=5, measure=requests.measure),
    Subject(name="memory", runs=1, measure=memory.measure),
    Subject(name="rollouts", runs=2, measure=rollouts.measure),
    # Of the last ones a run takes so long that five of each do not fit into half an hour.
    Subject(name="edits", runs=2, measure=edits.measure),
    Subject(name="restores", runs=1, measure=restores.measure),
)


def chosen(names: str) -> list[Subject]:
    """Returns the subjects that are named, with commas between them; all if none is.

    Raises:
        SystemExit: There is none of such a name.
    """
    wanted = {name.strip() for name in names.split(",") if name.strip()}
    known = {it.name for it in SUBJECTS}
    if unknown := wanted - known:
        raise SystemExit(
            f"There are no rows {', '.join(sorted(unknown))}; choose ROWS from "
            f"{', '.join(it.name for it in SUBJECTS)}."
        )
    return [it for it in SUBJECTS if it.name in wanted or not wanted]
