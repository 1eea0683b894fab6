"""Moving the application's database from one kind of server to another, and back.

1. The configuration gets a note of what moves where; from here on a plain `pulumi up` is refused.
2. Pulumi makes the new server beside the old one.
3. The writers are stopped, the database is copied next to the new server's own, compared, and put
   in its place.
4. A note on the old volume says where its data are by now: this is the moment of the change.
5. Pulumi brings the application to the new server, and takes the old one away but for its volume.

Cut off before 4, the data are with the old server: the same command begins the copy anew, and the
command for the other direction takes the new server away. Cut off after it, the same command does
the rest.
"""

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import assert_never

from pydantic import TypeAdapter

from cluster_objects.database_move import MOVED_TO, VARIABLE
from cluster_objects.json_tree import Json, part, parts
from cluster_objects.stack_mark import STACK_MARK
from console.failure import ExitCode, Failure
from ops.context import Target, with_stack
from ops.contract import (
    Database,
    ExternalDatabase,
    InClusterDatabase,
    Move,
    OperatorDatabase,
    operations_in,
)
from ops.copying.copying import drop_copier
from ops.copying.hindrances import require_copyable, require_extensions
from ops.copying.passage import close
from ops.database_copy import copy_beside, server_of
from ops.database_names import Purpose, derived
from ops.database_swap import discard, put_in_place
from ops.dumps import Comparison
from ops.external_secrets import ExternalSecrets
from ops.password_places import PASSWORD
from ops.password_rotation import PasswordRotation
from ops.release.interruption import take_over
from ops.retry import ApiError
from ops.terminal import note

_HIBERNATION = "cnpg.io/hibernation"


@dataclass(frozen=True)
class Pending:
    """A move that has begun."""

    source: Database
    mode: str
    """Where it leads to."""


class DatabaseMove:
    """One move, whatever of it is done already."""

    def __init__(self, to: Target, mode: str) -> None:
        """Reads where the data are.

        Args:
            to: The stack.
            mode: The `database.mode` that is to have them.

        Raises:
            Failure: The stack was deployed by an earlier version, or has no such servers.
        """
        self._to, self._mode = to, mode
        contract = to.stack.contract
        if contract.move is None or mode not in contract.move.targets:
            raise Failure(
                f"This stack's database cannot be moved to {mode}; run `pulumi up` with this "
                "version of the program first.",
                ExitCode.USAGE,
            )
        self._move: Move = contract.move
        self.pending = self._pending()
        self.source: Database = self._source()
        """What has the data now."""
        self._former = self.source
        _object(self.source)

    def _pending(self) -> Pending | None:
        text = self._to.stack.pulumi.config(self._move.config_key)
        if not text:
            return None
        note = json.loads(text)
        source: Database = TypeAdapter(Database).validate_python(note["from"])
        return Pending(source, str(note["to"]))

    def _source(self) -> Database:
        if self.pending is None:
            return self._to.stack.contract.database
        if self._moved_to(self.pending.source) == self.pending.mode:
            return self._to.stack.contract.database
        return self.pending.source

    @property
    def has_data(self) -> bool:
        """Whether the data are where they are to be, whatever else is left to do."""
        return self.source.mode == self._mode

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return self.has_data and self.pending is None

    def is_switched(self) -> bool:
        """Returns whether the cluster has the note that the data are where they are to be."""
        return self._moved_to(self._former) == self._mode

    def replaced(self) -> list[str]:
        """Returns what an earlier move has left and this one writes over."""
        return [f"{kind} {name}" for kind, name in left_over(self._to)]

    def begin(self) -> None:
        """Makes the new server beside the old one.

        Raises:
            Failure: The settings still name the old one, or something in the database is in the
                way, and nothing was begun; or it could not be made, or lacks an extension.
        """
        pulumi, variables = self._to.stack.pulumi, {VARIABLE: self._mode}
        targets = self._move.targets[self._mode]
        take_over(pulumi)
        pulumi.check(targets, variables)
        source, names = server_of(self._at_source), [self.source.name]
        require_copyable(source, names, frozen=False)
        note = {"to": self._mode, "from": self.source.model_dump(by_alias=True)}
        pulumi.set_config(self._move.config_key, json.dumps(note))
        pulumi.up(targets, variables)
        self._read_anew()
        require_extensions(source, server_of(self._to), names)

    def copy(self) -> list[Comparison]:
        """Copies the database, compares it, and makes it the new server's own.

        Nobody may write meanwhile.

        Returns:
            Its tables and sequences, all equal.

        Raises:
            Failure: It could not be copied; the data are where they were.
        """
        source, target = self._at_source, self._to
        former, new = server_of(source).major(), server_of(target).major()
        if new < former:
            raise Failure(
                f"The data are in PostgreSQL {former}, and the new server is {new}; choose an "
                f"image of {former} or later for it, then run this again.",
                ExitCode.USAGE,
            )
        fresh, tables = copy_beside(source, target)
        put_in_place(target, fresh)
        discard(target, Purpose.BEFORE_RESTORE)
        PasswordRotation(target.stack, target.cluster).alter_role(self._password())
        return tables

    def left_behind(self) -> list[str]:
        """Returns the databases of people on the old server, which stay on its volume."""
        names = server_of(self._at_source).databases()
        own = {"postgres", self.source.name}
        own |= {derived(self.source.name, purpose).name for purpose in Purpose}
        return [name for name in names if name not in own]

    def switch(self) -> None:
        """Notes where the data are by now: from here on there is no way back but another move."""
        new = self._to.stack.contract.database
        self._note(new, None)
        self._note(self.source, self._mode)
        self.source = new

    def finish(self) -> None:
        """Brings the application to the server that has the data, and takes the other one away.

        Raises:
            Failure: Pulumi failed, or the settings name the other one.
        """
        pulumi, variables = self._to.stack.pulumi, {VARIABLE: self._mode}
        try:
            take_over(pulumi)
        except Failure:
            note("the backend stays stopped until this is run again", "yellow")
            raise
        # Before anything is taken away. Of the namespace's quota the other servers need theirs no
        # more, and the application's pods may need it.
        pulumi.check(self._move.targets[self._mode], variables)
        self._retire()
        pulumi.unprotect(_protected(pulumi.export(), self._unwanted()))
        pulumi.up(None, variables)
        self._read_anew()
        # What a copy that was killed and given up has left on the server that it read.
        server = server_of(self._to)
        close(server)
        drop_copier(server)

    def end(self) -> None:
        """Notes that nothing is left to do, and lets other updates run again."""
        self._to.stack.pulumi.remove_config(self._move.config_key)

    @property
    def _at_source(self) -> Target:
        return with_stack(self._to, self._to.stack.with_database(self.source))

    def _read_anew(self) -> None:
        """Reads the outputs, which an update has changed."""
        stack = self._to.stack
        vars(stack)["contract"] = operations_in(stack.pulumi.outputs())

    def _password(self) -> str:
        stack, cluster = self._to.stack, self._to.cluster
        if stack.contract.secret(PASSWORD).generated:
            return PasswordRotation(stack, cluster).configured()
        return ExternalSecrets(stack, cluster).values()[PASSWORD]

    def _unwanted(self) -> list[str]:
        targets = self._move.targets
        return [it for mode in targets if mode != self._mode for it in targets[mode]]

    def _retire(self) -> None:
        """Notes on what there is of other servers that their data went, and lets none of them run.

        Whatever made them: this move, or one that was given up, perhaps half-way.
        """
        known = [self._former, self._to.stack.contract.database]
        known += [self.pending.source] if self.pending else []
        places = {_object(it) for it in known if it.mode != self._mode}
        if self._mode != "operator" and self._move.cluster:
            # One that could not be made as far as the outputs is in none of them.
            places.add(("Cluster", self._move.cluster))
        for place in sorted(places):
            found = self._to.cluster.find(*place)
            if STACK_MARK not in part(found, "metadata", "annotations"):
                continue  # there is none, or it is somebody else's
            self._to.cluster.patch(*place, _noted(self._mode))
            if place[0] == "Cluster":
                annotations = {"annotations": {_HIBERNATION: "on"}}
                self._to.cluster.patch(*place, {"metadata": annotations})

    def _moved_to(self, place: Database) -> str | None:
        found = self._to.cluster.find(*_object(place))
        return part(found, "metadata", "annotations").get(MOVED_TO)

    def _note(self, place: Database, mode: str | None) -> None:
        self._to.cluster.patch(*_object(place), _noted(mode))


def refuse_while_moving(to: Target) -> None:
    """Checks that no move was cut off.

    Raises:
        Failure: One was: the application's server may not be the one that has the data.
    """
    move = to.stack.contract.move
    pending = to.stack.pulumi.config(move.config_key) if move else None
    if pending:
        mode = json.loads(pending)["to"]
        raise Failure(
            f"A move of the database to {mode} was cut off; end it first: python -m ops "
            f"move-database --to {mode}",
            ExitCode.USAGE,
        )


def left_over(to: Target) -> list[tuple[str, str]]:
    """Returns kind and name of what a move to the stack's present database has left."""
    found: list[tuple[str, str]] = []
    for kind in ("PersistentVolumeClaim", "Cluster"):
        try:
            there = to.cluster.items(kind)
        except ApiError as error:
            if error.status != 404:
                raise
            continue
        mode = to.stack.contract.database.mode
        found += [
            (kind, it["metadata"]["name"])
            for it in there
            if part(it, "metadata", "annotations").get(MOVED_TO) == mode
        ]
    return found


def _noted(mode: str | None) -> Json:
    return {"metadata": {"annotations": {MOVED_TO: mode}}}


def _object(place: Database) -> tuple[str, str]:
    """Returns kind and name of what has a database's data."""
    match place:
        case InClusterDatabase():
            return "PersistentVolumeClaim", place.claim
        case OperatorDatabase():
            return "Cluster", place.cluster
        case ExternalDatabase():
            raise Failure(
                f"The database is outside the cluster (at {place.host}); dump it there with the "
                "tools of whoever runs it.",
                ExitCode.USAGE,
            )
        case _:
            assert_never(place)


def _protected(export: Json, patterns: list[str]) -> list[str]:
    """Returns the URNs of some resources that Pulumi would refuse to delete."""
    return [
        str(it["urn"])
        for it in parts(export, "deployment", "resources")
        if it.get("protect") and any(fnmatchcase(str(it["urn"]), pattern) for pattern in patterns)
    ]
