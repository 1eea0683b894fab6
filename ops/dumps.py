"""What the scripts in `scripts` print, read into values."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

State = Literal["complete", "unreadable", "running", "unfinished", "other"]
"""What a file on the backup volume or in the store is; `unfinished` was left by a job that was
killed (in a store it may be one that runs), `other` is not ours."""
_STAMP = re.compile(r"\d{8}T\d{6}Z")


@dataclass(frozen=True)
class Dump:
    """A backup file."""

    name: str
    octets: int
    written: int
    """Unix time, in seconds."""
    state: State = "complete"


@dataclass(frozen=True)
class Content:
    """Rows and checksum of a table."""

    rows: int
    checksum: str


@dataclass
class Report:
    """All that a script printed."""

    dumps: list[Dump] = field(default_factory=list[Dump])
    rest: list[Dump] = field(default_factory=list[Dump])
    """What else is on the volume."""
    refused: bool = False
    """The script did not begin: what it was asked for is not there, or is in use."""
    left: list[str] = field(default_factory=list[str])
    """Why something beside the data could not be restored, each as PostgreSQL said it."""
    free: int | None = None
    """Free bytes on the backup volume."""
    seconds: float | None = None
    """How long the restore itself took."""
    made: int | None = None
    """OID of the database that was loaded and left."""
    live: dict[str, Content] = field(default_factory=dict[str, Content])
    restored: dict[str, Content] = field(default_factory=dict[str, Content])

    def add(self, *dumps: Dump) -> None:
        """Adds what is among the backups: one that can be restored, or what else is there."""
        self.dumps += [it for it in dumps if it.state == "complete"]
        self.rest += [it for it in dumps if it.state != "complete"]

    @property
    def rows(self) -> int:
        """Rows of all restored tables."""
        return sum(content.rows for content in self.restored.values())


def read(lines: Sequence[str], owner: str | None = None) -> Report:
    """Reads a script's output; other lines are left out.

    Args:
        lines: What it printed.
        owner: Whose backups in an object store are the stack's own; None: it has none there.
    """
    report = Report()
    for line in lines:
        match line.split("|"):
            case [
                "dump" | "unreadable" | "running" | "unfinished" | "other" as kind,
                name,
                octets,
                written,
            ]:
                state = "complete" if kind == "dump" else kind
                report.add(Dump(name, int(octets), int(written), state))
            case ["snapshots", *text]:
                report.add(*_snapshots("|".join(text), owner))
            case ["refused"]:
                report.refused = True
            case ["left", *reason]:
                report.left.append("|".join(reason))
            case ["free", octets]:
                report.free = int(octets)
            case ["seconds", milliseconds]:
                report.seconds = int(milliseconds) / 1000
            case ["made", oid]:
                report.made = int(oid)
            case ["sum", side, table, rows, checksum]:
                into = report.live if side == "live" else report.restored
                into[table] = Content(int(rows), checksum)
            case _:
                pass
    report.dumps.sort(key=_begun, reverse=True)
    return report


def _snapshots(text: str, owner: str | None) -> list[Dump]:
    """Reads restic's list: https://restic.readthedocs.io/en/stable/075_scripting.html."""
    found: list[Any] = json.loads(text)
    return [_stored(it, owner) for it in found]


def _stored(snapshot: Any, owner: str | None) -> Dump:
    summary: Any = snapshot.get("summary") or {}
    return Dump(
        name=str(snapshot["paths"][0]).rsplit("/", 1)[-1],
        octets=int(summary.get("total_bytes_processed", 0)),
        written=int(datetime.fromisoformat(_seconds(snapshot["time"])).timestamp()),
        state=_state(snapshot, owner),
    )


def _state(snapshot: Any, owner: str | None) -> State:
    if snapshot["hostname"] != owner:
        return "other"
    return "complete" if "proven" in (snapshot.get("tags") or ()) else "unfinished"


def _seconds(moment: str) -> str:
    """Returns a time without the nanoseconds, which Python does not read."""
    return re.sub(r"\.\d+", "", moment)


def _begun(dump: Dump) -> tuple[str, str]:
    # The stamp in the name, if it has one: a file that was copied back has another time.
    match = _STAMP.search(dump.name)
    written = datetime.fromtimestamp(dump.written, UTC).strftime("%Y%m%dT%H%M%SZ")
    return (match.group() if match else written, dump.name)


@dataclass(frozen=True)
class Comparison:
    """One table in both databases."""

    table: str
    live: Content | None
    restored: Content | None

    @property
    def same(self) -> bool:
        """Whether rows and checksum are equal."""
        return self.live == self.restored

    @property
    def verdict(self) -> str:
        """The comparison in words."""
        if self.same:
            return "identical"
        if self.restored is None:
            return "missing in the backup"
        if self.live is None:
            return "only in the backup"
        return "different"


def compare(report: Report) -> list[Comparison]:
    """Returns every table of either side."""
    tables = sorted({*report.live, *report.restored})
    return [Comparison(t, report.live.get(t), report.restored.get(t)) for t in tables]
