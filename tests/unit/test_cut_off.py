"""What an update that was killed leaves behind is known, and its lock let go."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from cluster_objects.cut_off import folder_of, held_by, release_locks, was_cut_off
from tests.waiting import until


def lock(state: Path, process: object, *, host: str = os.uname().nodename) -> Path:
    file = state / ".pulumi" / "locks" / "organization" / "todo" / "dev" / f"{process}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"pid": process, "username": "me", "hostname": host}))
    return file


def gone() -> int:
    with subprocess.Popen(["true"]) as process:
        return process.pid


def test_what_pulumi_had_begun_is_in_the_state() -> None:
    operation = {"type": "updating", "resource": {"urn": "urn:pulumi:minikube::todo::it"}}
    assert was_cut_off({"deployment": {"pending_operations": [operation]}})
    assert not was_cut_off({"deployment": {"pending_operations": []}})
    assert not was_cut_off({"deployment": None})


def test_the_lock_of_a_process_that_is_gone_is_let_go(tmp_path: Path) -> None:
    file = lock(tmp_path, gone())
    assert release_locks(tmp_path, "dev")
    assert not file.exists()
    assert held_by(tmp_path, "todo", "dev") is None
    assert not release_locks(tmp_path, "dev")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="it is told by /proc")
def test_the_lock_of_a_process_that_has_ended_and_nobody_waits_for_is_let_go(
    tmp_path: Path,
) -> None:
    process = subprocess.Popen(["true"])
    until("its end", lambda: " Z " in Path(f"/proc/{process.pid}/stat").read_text(), 60)
    lock(tmp_path, process.pid)
    assert release_locks(tmp_path, "dev")
    process.wait()


@pytest.mark.parametrize("process", [os.getpid(), 1], ids=["this one", "the first"])
def test_the_lock_of_an_update_that_runs_is_left_alone(tmp_path: Path, process: int) -> None:
    file = lock(tmp_path, process)
    assert not release_locks(tmp_path, "dev")
    assert file.exists()
    assert held_by(tmp_path, "todo", "dev") == f"process {process} of me on {os.uname().nodename}"


def test_a_lock_of_another_machine_or_stack_or_project_is_left_alone(tmp_path: Path) -> None:
    file = lock(tmp_path, gone(), host="elsewhere")
    assert not release_locks(tmp_path, "dev")
    assert not release_locks(tmp_path, "other")
    assert file.exists()
    assert "on elsewhere" in str(held_by(tmp_path, "todo", "dev"))
    assert held_by(tmp_path, "other", "dev") is None


@pytest.mark.parametrize("written", ["", "[]", '"it"', "{}"])
def test_of_a_lock_that_says_nothing_pulumi_speaks(tmp_path: Path, written: str) -> None:
    file = lock(tmp_path, "it")
    file.write_text(written)
    assert not release_locks(tmp_path, "dev")
    assert held_by(tmp_path, "todo", "dev") is None
    assert file.exists()


def test_a_state_that_is_in_no_folder_has_no_locks_here() -> None:
    assert folder_of("file:///states") == Path("/states")
    assert folder_of("file://~/states") == Path.home() / "states"
    for backend in ("", "https://api.pulumi.com", "s3://states"):
        assert folder_of(backend) is None
