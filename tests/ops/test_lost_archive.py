"""`restore --lost`: which archive of the store is taken, and what is refused in a sentence."""

import base64
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from console.failure import ExitCode, Failure
from ops.cnpg import recovery
from ops.cnpg.recovery import Origin
from ops.cnpg.stored_archives import (
    Place,
    StoredArchive,
    own_name,
    place_of,
    stored_archives,
)
from ops.commands import restore_lost
from ops.commands.restore import restore
from ops.commands.restore_lost import choose, place_and_name, require_reachable
from ops.context import Target
from ops.copying.server import Server
from ops.dumps import Comparison, Content
from ops.kube import Ran
from ops.stack import Stack
from tests.ops import stacks
from tests.ops.live_clusters import live, with_operator
from tests.ops.test_cnpg import Api, as_cluster, database_of, target

NINE = datetime(2026, 1, 31, 9, tzinfo=UTC)
TEN = NINE.replace(hour=10)
PLACE = Place(bucket="backups", folder="todo/wal")
STORE = '''
"""boto3, as far as it is used: a folder is the bucket."""
import datetime, io, os, pathlib
def client(kind, *, endpoint_url, aws_access_key_id, aws_secret_access_key, verify, **_):
    assert kind == "s3" and endpoint_url == "https://store.example.org"
    if (aws_access_key_id, aws_secret_access_key) != ("me", "pa55word"):
        raise RuntimeError("An error occurred (AccessDenied)")
    assert open(verify).read() == "authority"
    return Store()
class Store:
    def get_paginator(self, operation):
        assert operation == "list_objects_v2"
        return self
    def paginate(self, *, Bucket, Prefix, Delimiter=""):
        root = pathlib.Path(os.environ["BUCKETS"]) / Bucket
        keys = sorted(str(it.relative_to(root)) for it in root.rglob("*") if it.is_file())
        found = [it for it in keys if it.startswith(Prefix)]
        if Delimiter:
            inner = {it[len(Prefix):].split("/")[0] for it in found if "/" in it[len(Prefix):]}
            yield {"CommonPrefixes": [{"Prefix": f"{Prefix}{it}/"} for it in sorted(inner)]}
            return
        for it in found:  # a page each
            at = datetime.datetime.fromtimestamp((root / it).stat().st_mtime, datetime.UTC)
            yield {"Contents": [{"Key": it, "LastModified": at}]}
    def get_object(self, *, Bucket, Key):
        file = pathlib.Path(os.environ["BUCKETS"]) / Bucket / Key
        return {"Body": io.BytesIO(file.read_bytes())}
'''


def archived(name: str, hour: int | None = 9, *, until: int = 12, major: int = 17) -> StoredArchive:
    return StoredArchive(
        place=PLACE,
        name=name,
        first=None if hour is None else NINE.replace(hour=hour),
        logged=NINE.replace(hour=until),
        major=major,
    )


def live_with_store() -> dict[str, Any]:
    found = live()
    store = found["spec"]["backup"]["barmanObjectStore"]
    store |= {
        "serverName": "postgres-new",
        "endpointCA": {"name": "authority", "key": "ca.crt"},
        "s3Credentials": {
            "accessKeyId": {"name": "store", "key": "id"},
            "secretAccessKey": {"name": "store", "key": "secret"},
        },
    }
    return found


class Pod(Api):
    """A server's pod whose commands run here, with a store that is a folder."""

    def __init__(self, folder: Path, password: str) -> None:
        def encoded(**values: str) -> dict[str, Any]:
            return {"data": {k: base64.b64encode(v.encode()).decode() for k, v in values.items()}}

        authority = {"data": {"ca.crt": base64.b64encode(b"authority").decode()}}
        super().__init__(
            Cluster={"postgres": live_with_store()},
            Secret={"store": encoded(id="me", secret=password), "authority": authority},
        )
        self.folder, self.commands = folder, list[str]()
        programs = folder / "programs"
        (programs / "botocore").mkdir(parents=True)
        (programs / "boto3.py").write_text(STORE)
        (programs / "botocore" / "config.py").write_text("def Config(**_): pass\n")
        tool = programs / "barman-cloud-backup-list"
        tool.write_text(f"#! {sys.executable}\n")
        tool.chmod(0o755)

    def file(self, key: str, text: str, at: datetime) -> None:
        file = self.folder / "backups" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        os.utime(file, (at.timestamp(), at.timestamp()))

    def run(
        self,
        pod: str,
        container: str,
        command: Sequence[str],
        stdin: str = "",
        *,
        once: bool = False,
    ) -> Ran:
        self.commands = [*command]
        environment = {
            "PATH": f"{self.folder / 'programs'}:{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "programs"),
            "BUCKETS": str(self.folder),
        }
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, env=environment, check=False
        )
        return Ran(done.returncode, done.stdout, done.stderr)


def info(hour: int, status: str = "DONE") -> str:
    return (
        "backup_label=None\nbegin_time=2026-01-31 08:00:00+00:00\n"
        f"end_time=2026-01-31 {hour:02}:00:00.000000+00:00\nstatus={status}\nversion=170012\n"
    )


def listed(pod: Pod) -> list[StoredArchive]:
    server = Server(as_cluster(pod), "postgres-2", "postgres", "postgres")
    return stored_archives(server, live_with_store(), PLACE)


def test_the_store_says_which_archives_it_has_and_where_they_lead(tmp_path: Path) -> None:
    pod = Pod(tmp_path, "pa55word")
    for hour in (11, 9):
        pod.file(f"todo/wal/postgres-old/base/2026T{hour}/backup.info", info(hour), NINE)
    pod.file("todo/wal/postgres-old/base/2026T13/backup.info", info(13, "FAILED"), NINE)
    pod.file("todo/wal/postgres-old/wals/0000000100000000/000000010000000000000001.gz", "", NINE)
    pod.file("todo/wal/postgres-old/wals/0000000200000000/000000020000000000000002.gz", "", TEN)
    pod.file("todo/wal/postgres-new/wals/0000000100000000/000000010000000000000001.gz", "", NINE)
    pod.file("todo/dumps/config", "somebody else's", NINE)
    assert listed(pod) == [
        archived("postgres-old", 9, until=10),
        StoredArchive(place=PLACE, name="postgres-new", first=None, logged=NINE, major=None),
    ]
    assert "pa55word" not in " ".join(pod.commands)


def test_a_store_that_refuses_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"from postgres-2: An error occurred \(AccessDenied\); "):
        listed(Pod(tmp_path, "another"))


def test_an_image_without_barman_is_said(tmp_path: Path) -> None:
    pod = Pod(tmp_path, "pa55word")
    (tmp_path / "programs" / "barman-cloud-backup-list").unlink()
    with pytest.raises(Failure, match="the image of the database has no barman-cloud-backup-list"):
        listed(pod)


def chosen(names: Sequence[StoredArchive | str], name: str = "") -> StoredArchive:
    there = [archived(it) if isinstance(it, str) else it for it in names]
    return choose(there, live_with_store(), there[0].place if there else PLACE, name)


def test_the_only_archive_of_another_cluster_is_taken() -> None:
    there = ["postgres-new", "postgres-old", archived("postgres-void", None)]
    assert chosen(there).name == "postgres-old"
    assert chosen(there, "postgres-old").name == "postgres-old"


def test_in_another_folder_no_name_is_the_stacks_own() -> None:
    other = replace(archived("postgres-new"), place=Place(bucket="backups", folder="b/wal"))
    assert chosen([other]) == other


def test_what_ends_before_the_cluster_of_its_name_was_made_is_a_lost_ones() -> None:
    """A Cluster that is made anew in the same namespace has the same folder."""
    anew, it = live_with_store(), archived("postgres-new", until=10)
    refused = {
        "type": "ContinuousArchiving",
        "status": "False",
        "message": "Expected empty archive",
    }
    anew["metadata"]["creationTimestamp"] = "2026-01-31T11:00:00Z"
    with pytest.raises(Failure, match="is this stack's own archive"):
        choose([it], anew, PLACE, "postgres-new")  # it archives: the clocks differ
    anew["status"]["conditions"] = [refused]
    assert choose([it], anew, PLACE, "") == choose([it], anew, PLACE, "postgres-new") == it
    anew["metadata"]["creationTimestamp"] = "2026-01-31T09:30:00Z"
    with pytest.raises(Failure, match="is this stack's own archive"):
        choose([it], anew, PLACE, "postgres-new")


@pytest.mark.parametrize(
    ("text", "folder", "name"),
    [
        ("", "todo/wal", ""),
        ("postgres-old", "todo/wal", "postgres-old"),
        ("shop/wal/postgres-old", "shop/wal", "postgres-old"),
        ("shop/wal/", "shop/wal", ""),
        ("s3://backups/shop/wal/postgres-old", "shop/wal", "postgres-old"),
    ],
)
def test_an_archive_is_named_alone_or_with_its_folder(text: str, folder: str, name: str) -> None:
    assert place_and_name(text, PLACE) == (Place(bucket="backups", folder=folder), name)


def test_an_archive_in_another_bucket_is_refused() -> None:
    with pytest.raises(Failure, match="in the bucket others, and this stack's own in backups"):
        place_and_name("s3://others/wal/postgres-old", PLACE)


@pytest.mark.parametrize(
    ("names", "name", "sentence"),
    [
        ([], "", "no archive of another cluster in s3://backups/todo/wal; set bucket and prefix"),
        (["postgres-new"], "", "There is no archive of another cluster"),
        (["a", "b"], "", "has 2 archives of other clusters; name one: .*--archive todo/wal/a"),
        (["a", "postgres-new"], "c", "no archive c in s3://backups/todo/wal; there are: a"),
        (["postgres-new"], "c", "there is none but perhaps this stack's own"),
        (["a", "postgres-new"], "postgres-new", "is this stack's own archive, not a lost one's"),
    ],
)
def test_an_archive_that_is_not_there_or_one_of_several_is_refused(
    names: Sequence[str], name: str, sentence: str
) -> None:
    with pytest.raises(Failure, match=sentence) as refused:
        chosen(names, name)
    assert refused.value.code == ExitCode.USAGE


def test_several_archives_are_listed_with_what_they_lead_to(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(Failure):
        chosen(["a", archived("b", 8), archived("c", None)])
    shown = capsys.readouterr().out
    for it in ("2026-01-31T09:00:00Z", "2026-01-31T08:00:00Z", "2026-01-31T12:00:00Z", "no base"):
        assert it in shown


@pytest.mark.parametrize(
    ("it", "when", "sentence"),
    [
        (archived("a", None), None, "a has no base backup that ended"),
        (archived("a", major=16), None, "written by PostgreSQL 16, which 17 cannot read"),
        (archived("a"), NINE.replace(hour=8), "is before the first base backup of a, which ended"),
        (archived("a"), NINE.replace(hour=13), r"after the end of the archive a \(2026-01-31T12"),
    ],
)
def test_what_an_archive_does_not_lead_to_is_refused(
    it: StoredArchive, when: datetime | None, sentence: str
) -> None:
    with pytest.raises(Failure, match=sentence):
        require_reachable(it, when, 17)


def test_a_moment_inside_of_an_archive_is_taken() -> None:
    require_reachable(archived("a"), TEN, 17)
    require_reachable(archived("a"), None, 17)


def test_the_second_cluster_reads_the_lost_ones_archive_and_archives_nothing() -> None:
    origin = Origin(destination="s3://backups/former/wal", name="postgres-old")
    spec = recovery.beside(live(), database_of(with_operator()), None, origin)["spec"]
    store = spec["externalClusters"][0]["barmanObjectStore"]
    assert store["destinationPath"] == "s3://backups/former/wal"
    assert store["serverName"] == "postgres-old"
    assert "backup" not in spec
    assert "recoveryTarget" not in spec["bootstrap"]["recovery"]


def test_a_live_clusters_own_archive_is_known() -> None:
    assert place_of(live()) == PLACE
    assert own_name(live()) == "postgres"
    assert own_name(live_with_store()) == "postgres-new"


@pytest.mark.parametrize(
    ("stack", "given", "sentence"),
    [
        (stacks.deployed(), {"lost": True}, "has archived needs database.mode operator"),
        (with_operator(backup=None), {"lost": True}, "has archived needs an object store"),
        (with_operator(), {"lost": True, "dump": "x"}, "--dump and --lost name two things"),
        (with_operator(), {"archive": "a", "dump": "x"}, "--dump and --archive name two things"),
        (with_operator(), {"lost": True, "moment": "monday"}, "is no time with a zone"),
    ],
)
def test_what_does_not_go_together_is_refused(
    stack: Stack, given: dict[str, Any], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.database.require_ready", lambda *_: None)
    monkeypatch.setattr("ops.commands.restore.refuse_while_upgrading", lambda _: None)
    with pytest.raises(Failure, match=sentence):
        restore(target(stack, Api()), yes=True, **given)


class Steps:
    """What is done on the way to the swap, each step said instead of done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tables: Sequence[str]) -> None:
        self.done: list[str] = []
        self._tables = [Comparison(it, Content(3, "1"), Content(3, "1")) for it in tables]
        recovered = "ops.commands.recovered"
        monkeypatch.setattr("ops.database.require_ready", lambda *_: None)
        monkeypatch.setattr("ops.commands.restore.own", lambda *_: None)
        monkeypatch.setattr("ops.commands.restore.refuse_while_upgrading", lambda _: None)
        monkeypatch.setattr("ops.database.octets", lambda *_: 5)
        monkeypatch.setattr(Server, "major", lambda _: 17)
        monkeypatch.setattr(Server, "databases", lambda it: ["postgres", "todo", *self.more(it)])
        monkeypatch.setattr(Server, "sql", lambda it, _: "\n".join(["app", *self.more(it)]))
        monkeypatch.setattr(restore_lost, "stored_archives", lambda *_: [archived("postgres-old")])
        monkeypatch.setattr(f"{recovered}.room_for_copy", self.room)
        monkeypatch.setattr(f"{recovered}.copy_beside", self.copy)
        monkeypatch.setattr(f"{recovered}.discard", lambda *_: self.done.append("discarded"))
        monkeypatch.setattr(f"{recovered}.swap_without_writers", self.swap)

    def more(self, server: Server) -> list[str]:
        """What the lost server had beside the application's: two of them this program's own."""
        if "recovery" not in server.pod:
            return []
        return ["reports", "todo_before_restore", "database_copy"]

    def room(self, to: Target, copy: object, octets: int) -> None:
        self.done.append(f"room for {octets}")

    def copy(self, source: Target, into: Target) -> tuple[str, list[Comparison]]:
        hosts = (source.stack.contract.database.host, into.stack.contract.database.host)
        self.done.append(f"copied from {hosts[0]} to {hosts[1]}")
        return "todo_restored", self._tables

    def swap(self, *_: object, drop_old: bool) -> None:
        self.done.append("swapped")


def test_what_was_recovered_takes_the_place_of_the_live_database(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps, api = Steps(monkeypatch, ["todo public.todos"]), Api()
    api.answer = "2\n0\n"
    restore(target(with_operator(), api), yes=True, lost=True)
    copied = "copied from postgres-recovery-rw to postgres-rw"
    assert steps.done == ["room for 5", copied, "swapped"]
    assert [*api.objects["Cluster"]] == ["postgres"]
    said = " ".join(capsys.readouterr().out.split())
    assert "todo has 2 rows in all of its 2 tables; it is kept as todo_before_restore" in said
    assert "not restored, only the archive has it: database reports" in said
    assert "not restored, only the archive has it: role reports" in said
    assert "restored the newest of postgres-old" in said


def test_an_archive_that_is_still_written_to_makes_one_wonder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Steps(monkeypatch, ["todo public.todos"])
    api, wonder = Api(), "is the cluster that writes it lost?"
    for made, expected in (("2026-01-31T13:00:00Z", False), ("2026-01-31T11:00:00Z", True)):
        api.objects["Cluster"]["postgres"]["metadata"]["creationTimestamp"] = made
        restore(target(with_operator(), api), yes=True, lost=True)
        said = " ".join(capsys.readouterr().out.split())
        assert (wonder in said) == expected


def test_an_archive_without_the_applications_tables_takes_nobodys_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps, api = Steps(monkeypatch, []), Api()
    with pytest.raises(Failure, match="The database todo has no table in what was recovered"):
        restore(target(with_operator(), api), yes=True, lost=True)
    assert steps.done[-1] == "discarded"
    assert [*api.objects["Cluster"]] == ["postgres"]


def test_nobody_who_is_not_asked_loses_the_live_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = Steps(monkeypatch, ["todo public.todos"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(Failure, match=r"by the newest of postgres-old\? Nobody is there to answer"):
        restore(target(with_operator(), Api()), lost=True)
    assert steps.done == []
