"""Backups in an object store, as operations list them and make jobs of them."""

import json
import subprocess
from typing import Any

import pytest

from ops import scripts
from ops.backup_steps import fresh_drill, listing, loading
from ops.contract import Backup, BackupStore
from ops.dumps import read
from ops.jobs import job_of

DUMP = {"name": "backup", "command": ["/bin/sh", "-c", "dump"], "env": []}
STORE = {"name": "store", "command": ["/bin/sh", "-c", "script", "store"], "args": ["put"]}
CRON_JOB: Any = {
    "metadata": {"name": "postgres-backup", "uid": "u"},
    "spec": {
        "jobTemplate": {
            "spec": {
                "template": {
                    "metadata": {},
                    "spec": {"initContainers": [DUMP], "containers": [STORE]},
                }
            }
        }
    },
}
BACKUP = Backup(
    cron_job="postgres-backup",
    claim=None,
    container="backup",
    schedule="17 3 * * *",
    store=BackupStore(container="store", owner="shop", address="https://s3.example.com/b/p"),
)


def snapshot(name: str, host: str, *tags: str) -> dict[str, Any]:
    return {
        "time": "2026-01-01T00:00:05.123456789Z",
        "paths": [f"/backups/{name}"],
        "hostname": host,
        "tags": [*tags],
        "summary": {"total_bytes_processed": 7},
    }


def test_the_stacks_own_proven_backups_count_and_no_others() -> None:
    found = [
        snapshot("todo-20260101T000000Z.dump", "shop", "proven"),
        snapshot("todo-20260102T000000Z.dump", "shop", "unproven"),
        snapshot("todo-20260103T000000Z.dump", "another", "proven"),
        snapshot("todo-20260104T000000Z.dump", "shop", "proven"),
    ]
    report = read([f"snapshots|{json.dumps(found)}"], owner="shop")
    assert [it.name for it in report.dumps] == [
        "todo-20260104T000000Z.dump",
        "todo-20260101T000000Z.dump",
    ]
    assert [it.state for it in report.rest] == ["unfinished", "other"]
    assert {(it.octets, it.written) for it in report.dumps} == {(7, 1767225605)}


def steps(job: Any) -> list[tuple[str, object]]:
    pod = job["spec"]["template"]["spec"]
    containers = [*pod["initContainers"], *pod["containers"]]
    names = [it["name"] for it in containers]
    assert len({*names}) == len(names), "the names in a pod are different"
    return [(it["command"][2], it.get("args")) for it in containers]


def test_a_list_needs_no_dump() -> None:
    assert steps(job_of(CRON_JOB, "list", listing(BACKUP))) == [("script", ["list"])]


def test_a_restore_fetches_what_it_loads() -> None:
    given = loading(BACKUP, scripts.LOAD, {"SCRATCH": "s"}, "name")
    job = job_of(CRON_JOB, "load", given)
    assert steps(job) == [("script", ["fetch"]), (scripts.LOAD, None)]
    pod: Any = job["spec"]
    fetch = pod["template"]["spec"]["initContainers"][0]
    assert fetch["env"] == [{"name": "DUMP", "value": "name"}]


def test_a_fresh_drill_restores_what_came_back_from_the_store() -> None:
    job = job_of(CRON_JOB, "drill", fresh_drill(BACKUP, CRON_JOB, {}))
    assert steps(job) == [
        (scripts.FRESH_DUMP, None),
        ("script", ["put-and-fetch"]),
        (scripts.FRESH_LOAD, None),
    ]


def test_a_backup_by_hand_does_what_the_schedule_does() -> None:
    job = job_of(CRON_JOB, "manual", None)
    assert steps(job) == [("dump", None), ("script", ["put"])]


@pytest.mark.parametrize("script", [scripts.FRESH_DUMP, scripts.FRESH_LOAD])
def test_the_steps_of_a_fresh_drill_are_valid_shell(script: str) -> None:
    done = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
