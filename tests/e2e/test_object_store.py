"""Backups that leave the cluster: a real stack, a real S3 store with TLS outside of the cluster.

Each test finds what those before it have left, and needs none of it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import yaml

from components.todo.names import LOADED_IMAGES
from distribution import stand_ins
from distribution.addon_parts import RESTIC
from ops.jobs import Script, Step, Stored, job_of, script_of
from tests.commands import how_it_ended
from tests.e2e.deployment import PROJECT, Deployment
from tests.object_store import BUCKET, ObjectStoreServer, object_store, reached_by_pods
from tests.waiting import until
from toolchain import paths

Manifest = dict[str, Any]
WORD = f"unmistakable-{uuid4().hex}"
"""In every row: it must not be found in the bucket."""
# Whenever the tests run, none is due in the days after: what is stored is what they have.
_SCHEDULE = f"17 5 * * {(datetime.now(UTC).isoweekday() + 3) % 7}"
_PACKAGES = ("cluster_objects", "components", "stack_settings")
_SMALL = {"cpuRequest": "5m", "cpuLimit": "500m", "memoryRequest": "64Mi", "memoryLimit": "256Mi"}
_ONE = {
    "scaling": {"mode": "fixed", "replicas": 1},
    "resources": _SMALL,
    "exposure": {"mode": "clusterIp"},
}
_ROWS = (
    f"CREATE TABLE kept AS SELECT n, '{WORD}-' || n AS word, now() AS at "  # noqa: S608
    "FROM generate_series(1, 5000) n"
)
_CHECKSUM = "SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM kept t"


@dataclass
class StoredStack:
    """A stack of the program with state and stack file in folders of the test."""

    folder: Path
    settings: Manifest
    secrets: dict[str, str]
    environment: dict[str, str] = field(default_factory=dict[str, str])

    def make(self) -> None:
        """Makes folder and state anew, as on a machine that has but the stack's file."""
        self.folder.mkdir()
        for name in ("__main__.py", "Pulumi.yaml", "apps", ".venv", *_PACKAGES):
            (self.folder / name).symlink_to(PROJECT / name)
        self.environment = {
            "PULUMI_BACKEND_URL": f"file://{self.folder}",
            "PULUMI_CONFIG_PASSPHRASE": uuid4().hex,
        }
        self.pulumi("stack", "init", "stored")
        file = self.folder / "Pulumi.stored.yaml"
        written: Manifest = yaml.safe_load(file.read_text()) if file.exists() else {}
        file.write_text(yaml.safe_dump({**written, "config": {"todo:settings": self.settings}}))
        for key, value in self.secrets.items():
            self.pulumi("config", "set", "--secret", f"todo:{key}", value)

    def pulumi(self, *arguments: str) -> None:
        done = self._run(["pulumi", *arguments, "--color", "never"])
        assert done.returncode == 0, how_it_ended(done)

    def up(self) -> None:
        self.pulumi("up", "--yes", "--skip-preview")

    def ops(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        options = ["--project", str(self.folder), "--stack", "stored"]
        return self._run([sys.executable, "-m", "ops", *options, *arguments], cwd=PROJECT)

    def good(self, *arguments: str) -> str:
        done = self.ops(*arguments)
        assert done.returncode == 0, how_it_ended(done)
        return done.stdout

    def use_key(self, key_id: str, secret: str) -> None:
        """Has the backups use other credentials of the store."""
        self.secrets |= {"objectStoreKeyId": key_id, "objectStoreSecret": secret}
        for key in ("objectStoreKeyId", "objectStoreSecret"):
            self.pulumi("config", "set", "--secret", f"todo:{key}", self.secrets[key])
        self.up()

    def refused(self, *arguments: str) -> str:
        """Returns what is said by a command that fails."""
        done = self.ops(*arguments)
        assert done.returncode != 0, how_it_ended(done)
        assert "Traceback" not in done.stdout + done.stderr, how_it_ended(done)
        return done.stderr

    def finding(self, check: str) -> Manifest:
        """Returns what `validate` finds of something."""
        found = json.loads(self.ops("validate", "--no-drift", "--json").stdout)["findings"]
        (it,) = (it for it in found if it["check"] == check)
        return it

    def ends_well(self, job: str) -> bool:
        """Waits for the end of a job, and returns whether it is a good one."""

        def ended() -> str:
            found = json.loads(self.kubectl("get", "job", job, "-o", "json"))
            conditions = found.get("status", {}).get("conditions", ())
            ends = (it["type"] for it in conditions if it["type"] in {"Complete", "Failed"})
            return next(ends, "")

        until(f"the end of job {job}", lambda: bool(ended()), 600)
        return ended() == "Complete"

    @property
    def namespace(self) -> str:
        return self.settings["namespace"]["name"]

    def kubectl(self, *arguments: str, text: str = "") -> str:
        done = self._run(["kubectl", "--namespace", self.namespace, *arguments], text=text)
        assert done.returncode == 0, how_it_ended(done)
        return done.stdout

    def sql(self, statements: str) -> str:
        where = ("-h", "/var/run/postgresql", "-U", "todo", "-d", "todo")
        psql = ("psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", *where, "-c", statements)
        return self.kubectl("exec", "postgres-0", "-c", "postgres", "--", *psql).strip()

    def lose(self) -> None:
        """Destroys all that the stack has in the cluster, its volumes and its state as well."""
        claims = json.loads(self.kubectl("get", "persistentvolumeclaims", "-o", "json"))["items"]
        self.kubectl("delete", "namespace", self.namespace, "--timeout=600s")
        for claim in claims:
            volume = claim["spec"].get("volumeName", "none")
            self.kubectl("delete", "persistentvolume", volume, "--ignore-not-found")

    def job(self, purpose: str, steps: Sequence[Step]) -> str:
        """Runs a job as operations make one; returns what its last container printed last."""
        cron_job = json.loads(self.kubectl("get", "cronjob", "postgres-backup", "-o", "json"))
        body = job_of(cron_job, purpose, steps)
        name = body["metadata"]["name"]
        self.kubectl("create", "-f", "-", text=json.dumps(body))
        self.ends_well(name)
        return self.kubectl("logs", f"job/{name}", "--tail=1").strip()

    def _run(
        self, command: list[str], *, cwd: Path | None = None, text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=cwd or self.folder,
            env=os.environ | self.environment,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=1800,
        )


def _restic(deployment: Deployment) -> dict[str, str]:
    """Returns the image of restic that `make up` finds out: a stand-in where no registry is."""
    if not deployment.outputs["images"]["database"].startswith(LOADED_IMAGES):
        return {}
    stand_ins.ensure(paths.BIN, [RESTIC])
    return {"image": stand_ins.reference(RESTIC)}


@pytest.fixture(scope="module")
def store(
    deployment: Deployment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ObjectStoreServer]:
    address = reached_by_pods(urlsplit(deployment.frontend).hostname or "")
    with object_store(tmp_path_factory.mktemp("store"), address) as it:
        yield it


@pytest.fixture(scope="module")
def stack(
    deployment: Deployment, store: ObjectStoreServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StoredStack]:
    images = deployment.outputs["images"]
    it = StoredStack(
        folder=tmp_path_factory.mktemp("stack") / "first",
        settings={
            "environment": "development",
            "cluster": {
                "kind": "managed",
                "context": deployment.outputs["kubeContext"],
                "kubeconfig": deployment.outputs["kubeconfig"],
            },
            "namespace": {"name": f"todo-{uuid4().hex[:8]}"},
            "images": {it: images[it] for it in ("backend", "frontend")} | {"mode": "prebuilt"},
            "database": {
                "image": images["database"],
                "resources": _SMALL,
                "storage": {"size": "256Mi"},
                "backup": {
                    "schedule": _SCHEDULE,
                    "keep": 1,
                    "drill": {"schedule": _SCHEDULE},
                    "storage": {"size": "64Mi"},
                    "destination": {
                        "mode": "s3",
                        "bucket": BUCKET,
                        "endpoint": store.endpoint,
                        "prefix": "shop/test",
                        "caBundle": store.authority,
                        "cidr": f"{store.address}/32",
                        **_restic(deployment),
                    },
                },
            },
            "backend": _ONE,
            "frontend": _ONE,
        },
        secrets={
            "databasePassword": uuid4().hex,
            "jwtKey": uuid4().hex,
            "objectStoreKeyId": store.key_id,
            "objectStoreSecret": store.secret,
            "backupKey": uuid4().hex,
        },
    )
    it.make()
    try:
        it.up()
        it.sql(_ROWS)
        yield it
    finally:
        it.lose()


def names(stack: StoredStack) -> dict[str, str]:
    """Returns the names of all that is in the store, and what each is."""
    return {it["name"]: it["state"] for it in json.loads(stack.good("backups", "--json"))}


@pytest.fixture
def backed_up(stack: StoredStack) -> None:
    """There is a backup, also where a test runs alone."""
    if "complete" not in names(stack).values():
        stack.good("backup")


def test_a_backup_is_in_the_store_and_nobody_without_the_key_can_read_it(
    stack: StoredStack, store: ObjectStoreServer
) -> None:
    assert "and read it back" in stack.good("backup")
    assert [*names(stack).values()] == ["complete"]
    contents = [it.read_bytes() for it in store.files]
    assert sum(map(len, contents)) > 1000
    for told in (WORD, "kept", "PGDMP", stack.secrets["backupKey"]):
        assert not [it for it in contents if told.encode() in it]


def test_a_drill_restores_what_came_back_from_the_store(stack: StoredStack) -> None:
    said = stack.good("restore-drill", "--fresh")
    assert "RESTORABLE" in said
    assert "all identical" in said


@pytest.mark.usefixtures("backed_up")
def test_an_old_backup_goes_once_a_newer_one_is_proven_and_others_stay(
    stack: StoredStack, store: ObjectStoreServer
) -> None:
    beside = store.folder / "buckets" / BUCKET / "shop" / "others"
    beside.write_text("somebody else's")
    (before,) = names(stack)
    cron_job = json.loads(stack.kubectl("get", "cronjob", "postgres-backup", "-o", "json"))
    another = [Script(script_of(cron_job)), Stored("put", {"OWNER": "another"})]
    assert "and read it back" in stack.job("another", another)
    # The store gives back something else: the old one stays, and the new one counts for nothing.
    spoilt = {"PATH": "/backups/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    wrap = (
        '\nmkdir bin\nprintf \'#!/bin/sh\\nfor it; do [ "$it" != dump ] || exec echo spoilt; done'
        '\\nexec /usr/bin/restic "$@"\\n\' > bin/restic\nchmod 755 bin/restic\n'
    )
    said = stack.job("spoilt", [Script(script_of(cron_job) + wrap), Stored("put", spoilt)])
    assert "cannot be read back" in said
    assert "no older one was removed" in said
    found = names(stack)
    assert found[before] == "complete"
    assert sorted(found.values()) == ["complete", "other", "unfinished"]
    stack.good("backup")
    found = names(stack)
    assert before not in found
    assert sorted(found.values()) == ["complete", "other", "unfinished"]
    assert beside.read_text() == "somebody else's"


@pytest.mark.usefixtures("backed_up")
def test_whatever_is_wrong_with_the_store_is_said_in_one_sentence(
    stack: StoredStack, store: ObjectStoreServer
) -> None:
    at = f"s3:{store.endpoint}"
    wrong = {
        "does not accept the credentials": {"SECRET_FILE": "/run/secrets/store/backup-key"},
        "were made with another key": {
            "RESTIC_PASSWORD_FILE": "/run/secrets/store/object-store-secret"
        },
        "there is no bucket": {"RESTIC_REPOSITORY": f"{at}/missing/shop/test/dumps"},
        "set caBundle": {"RESTIC_CACERT": ""},
        "does not answer": {"RESTIC_REPOSITORY": f"s3:https://{store.address}:1/{BUCKET}/dumps"},
    }
    with ThreadPoolExecutor(len(wrong)) as pool:
        jobs = {
            said: pool.submit(stack.job, f"wrong{n}", [Stored("check", environment)])
            for n, (said, environment) in enumerate(wrong.items())
        }
    found = {said: job.result() for said, job in jobs.items()}
    assert [*found.items()] == [(said, it) for said, it in found.items() if said in it]


@pytest.mark.usefixtures("backed_up")
def test_the_drill_of_the_schedule_restores_what_is_in_the_store(stack: StoredStack) -> None:
    stack.kubectl("create", "job", "--from=cronjob/postgres-drill", "by-hand")
    good = stack.ends_well("by-hand")
    said = stack.kubectl("logs", "job/by-hand", "--all-containers")
    assert good, said
    assert "restored todo-" in said
    assert stack.finding("restore drill")["state"] == "ok"


def test_a_store_that_is_down_fails_every_command_in_a_sentence_and_changes_nothing(
    stack: StoredStack, store: ObjectStoreServer
) -> None:
    before = stack.sql(_CHECKSUM)
    store.stop()
    try:
        with ThreadPoolExecutor() as pool:
            commands = [("backup",), ("restore", "--yes"), ("restore-drill",), ("backups",)]
            asked = [pool.submit(stack.refused, *it) for it in commands]
            finding = pool.submit(stack.finding, "object store").result()
            said = [it.result() for it in asked]
            assert [it for it in said if "does not answer" not in it] == []
        assert finding["state"] == "failed"
        assert "does not answer" in finding["detail"]
    finally:
        store.start()
    assert stack.finding("object store")["state"] == "ok"
    assert stack.sql(_CHECKSUM) == before


def test_credentials_with_too_few_rights_are_said_and_those_that_only_read_can_restore(
    stack: StoredStack, store: ObjectStoreServer
) -> None:
    look = ("s3:ListBucket", "s3:GetBucketLocation")
    stack.good("backup")
    before = stack.sql(_CHECKSUM)
    stack.use_key("reader", store.let("reader", *look, "s3:GetObject"))
    assert "may not do this" in stack.refused("backup")
    finding = stack.finding("object store")
    assert (finding["state"], "may not do this" in finding["detail"]) == ("failed", True)
    stack.sql("DELETE FROM kept WHERE n > 10")
    after = stack.sql(_CHECKSUM)
    stack.good("restore", "--yes")
    assert stack.sql(_CHECKSUM) == before
    stack.good("restore", "--undo", "--yes")
    assert stack.sql(_CHECKSUM) == after

    stack.use_key("writer", store.let("writer", *look, "s3:PutObject", "s3:DeleteObject"))
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(stack.refused, *it) for it in (("backup",), ("restore", "--yes"))]
        assert [said for it in asked if "may not do this" not in (said := it.result())] == []
    assert stack.sql(_CHECKSUM) == after
    stack.use_key(store.key_id, store.secret)


def test_all_is_there_again_after_the_loss_of_everything_but_the_store_and_the_key(
    stack: StoredStack,
) -> None:
    stack.good("backup")
    before = stack.sql(_CHECKSUM)
    stack.sql("INSERT INTO kept VALUES (0, 'after the backup', now())")
    stack.lose()
    stack.folder = stack.folder.with_name("second")
    stack.secrets |= {"databasePassword": uuid4().hex, "jwtKey": uuid4().hex}
    stack.make()
    stack.up()
    assert stack.sql("SELECT to_regclass('kept') IS NULL") == "t"
    said = stack.good("restore", "--yes")
    assert "restored" in said
    assert stack.sql(_CHECKSUM) == before
