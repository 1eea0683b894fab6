"""The steps of an upgrade. What was done is seen in the cluster, so any step may be cut off.

1. The second server starts on the next volume; nobody notices.
2. Writes to the live server stop, reads go on (ops/copying/freeze.py).
3. Roles and databases are copied, and every table and sequence compared. The claim then says what
   it is filled with; without that it is no volume, and is begun anew.
4. The stack's configuration names the next volume, the StatefulSet goes, and `pulumi up` makes it
   on that volume: its name, its Service and all else stay. `pulumi up` alone refuses that step, as
   long as the claim says nothing or the old StatefulSet is there.
5. Writes are let through again. The former volume stays, frozen as it was, until it is forgotten.
"""

import time
from dataclasses import dataclass, field
from functools import cached_property

from cluster_objects.json_tree import part, parts
from console.duration import duration
from console.failure import ExitCode, Failure
from ops.context import Target
from ops.contract import InClusterDatabase, Upgrade
from ops.copying import passage
from ops.copying.comparison import compare_servers, require_equal
from ops.copying.copying import copy_server, drop_copier
from ops.copying.freeze import freeze, stamp, thaw
from ops.copying.hindrances import require_copyable, require_extensions
from ops.copying.server import Server
from ops.dumps import Comparison
from ops.release.interruption import take_over
from ops.role_separation import RoleSeparation
from ops.servers import stateful_set
from ops.terminal import note, progress, say
from ops.upgrade.second_server import SecondServer
from ops.upgrade.wanted import VolumeNote, Wanted, require_same_but_version, wanted

_UNTIL = "nobody can write until this is run again, or with --back"


@dataclass
class MajorUpgrade:
    """The upgrade of one stack's database."""

    to: Target
    _frozen_at: float = field(default=0.0, init=False)

    @cached_property
    def server(self) -> InClusterDatabase:
        """The database's server.

        Raises:
            Failure: Somebody else runs the database, or an operator.
        """
        return stateful_set(self.to.stack, "Nothing to upgrade by this command")

    @cached_property
    def facts(self) -> Upgrade:
        """What the stack says of its volumes.

        Raises:
            Failure: It was deployed by a version that knew one volume.
        """
        if self.server.upgrade is None:
            raise Failure(
                "The stack was deployed by an earlier version of the program; take the database's "
                "image back, run `pulumi up` once, and then this again.",
                ExitCode.USAGE,
            )
        return self.server.upgrade

    @property
    def live(self) -> Server:
        """The server that serves."""
        it = self.server
        return Server(self.to.cluster, it.pod, it.container, it.superuser, it.port)

    @cached_property
    def second(self) -> SecondServer:
        """The one beside it."""
        workload = self.to.stack.contract.of_role("database").workload
        return SecondServer(self.to.cluster, self.server, self.facts, workload)

    @property
    def configured(self) -> int:
        """The volume that the stack's configuration names."""
        found = self.to.stack.pulumi.config(self.facts.config_key, path=True)
        return int(found or 1)

    def made_with(self, claim: str) -> VolumeNote:
        """Returns what a claim says that it is filled with.

        Raises:
            Failure: It says nothing, or is gone.
        """
        found = self.to.cluster.find("PersistentVolumeClaim", claim)
        note = part(found, "metadata", "annotations").get(self.facts.note)
        if not note:
            raise Failure(
                f"The claim {claim} is gone or does not say what it is made with; run `pulumi up` "
                "once with the image that it had, then this again."
            )
        return VolumeNote(str(note))

    def wanted(self) -> Wanted:
        """Returns the server that the settings want."""
        with progress("Asking the program what it wants"):
            return wanted(self.to.stack.pulumi, self.facts)

    def require_fit(self, wants: Wanted) -> None:
        """Checks what can be checked before anything is changed.

        Raises:
            Failure: The server cannot be upgraded to that.
        """
        has = self.made_with(self.facts.claim)
        if not wants.note.major or wants.note.major < has.major:
            raise Failure(
                f"The settings want PostgreSQL {wants.note.major or 'of an unknown version'}, and "
                f"the server has {has.major}; majors go up only: correct {self.facts.image_key}.",
                ExitCode.USAGE,
            )
        require_same_but_version(has, wants.note)
        if RoleSeparation(self.to.stack, self.to.cluster).is_superuser():
            raise Failure(
                f"The application's role {self.server.user} is the server's superuser; run `python "
                "-m ops separate-roles` first, then this again.",
                ExitCode.USAGE,
            )
        require_copyable(self.live, self.live.databases())

    def fill(self, wants: Wanted) -> list[Comparison]:
        """Fills the next volume from the live server and compares both; writes are stopped then.

        Raises:
            Failure: It could not be done; the live server is the one that it was.
        """
        take_over(self.to.stack.pulumi)
        with progress("Starting the second server"):
            self.second.start(wants)
        live, new = self.live, self.second.address
        if new.major() != wants.note.major:
            raise Failure(
                f"The image {wants.image} has PostgreSQL {new.major()}, and its tag says "
                f"{wants.note.major}; name another one in {self.facts.image_key}."
            )
        require_extensions(live, new, live.databases())
        self._frozen_at = time.monotonic()
        try:
            with progress("Stopping writes"):
                freeze(live)
            since = stamp(live)
            tables = self._copied(live, new)
            self.second.note(wants.note, since)
        except BaseException:
            # Also after Ctrl-C: whoever comes back finds an application that can be written to.
            try:
                with progress("Letting writes through"):
                    self.let_write()
            except Failure:
                note(_UNTIL, "yellow")
            raise
        return tables

    def _copied(self, live: Server, new: Server) -> list[Comparison]:
        databases = live.databases()
        with progress(f"Copying {len(databases)} databases"):
            copy_server(live, new, databases)
        with progress("Comparing both servers"):
            tables = compare_servers(live, new, {name: name for name in databases})
        require_equal(tables)
        return tables

    def switch(self, volume: int) -> None:
        """Has the server made anew on a volume, and lets writes through.

        Raises:
            Failure: The server does not start there; run again, or back. Or another update is
                running, and nothing was done.
        """
        begin = time.monotonic()
        cluster, name = self.to.cluster, self.second.workload
        try:
            take_over(self.to.stack.pulumi)
        except Failure:
            if self._frozen_at:
                note(_UNTIL, "yellow")
            raise
        with progress("Ending the second server"):
            self.second.stop()
        if volume > self.facts.volume and self.is_in_place():
            self._require_nobody_wrote()
        self.to.stack.pulumi.set_config(self.facts.config_key, str(volume), path=True)
        if volume > self.facts.volume:
            self.second.begin_to_serve()
        without = time.monotonic()
        if self._uses() not in {None, self.facts.claims[volume - 1]}:
            # What Kubernetes does not let be changed; the claims stay.
            cluster.delete("StatefulSet", name)
        try:
            with progress("Starting the server on its other volume"):
                self.to.stack.pulumi.up(self.facts.targets, refresh=True)
            self.let_write()
        except BaseException:
            note(_UNTIL, "yellow")
            raise
        now = time.monotonic()
        say(
            f"nobody could read for {duration(now - without)} and write for "
            f"{duration(now - (self._frozen_at or begin))}"
        )

    def _require_nobody_wrote(self) -> None:
        """Checks that the server that serves is still the one that was copied and compared.

        Raises:
            Failure: Somebody has let writes through since; the copy counts for nothing.
        """
        if stamp(self.live) == self.second.equal_since():
            return
        self.second.begin_anew()
        self.to.stack.pulumi.set_config(self.facts.config_key, str(self.facts.volume), path=True)
        raise Failure(
            "People could write since the copy was made, so the server stays the one it is; run "
            "this again: it copies anew."
        )

    def let_write(self) -> None:
        """Ends what a copy needs on the live server."""
        passage.close(self.live)
        drop_copier(self.live)
        thaw(self.live)

    def is_in_place(self) -> bool:
        """Returns whether the StatefulSet is there, on the volume that the stack was left with."""
        return self._uses() == self.facts.claim

    def _uses(self) -> str | None:
        """Returns the claim of the StatefulSet in the cluster; None: there is none."""
        found = self.to.cluster.find("StatefulSet", self.second.workload)
        if found is None:
            return None
        (template, *_) = parts(found, "spec", "volumeClaimTemplates")
        return f"{template['metadata']['name']}-{self.second.workload}-0"
