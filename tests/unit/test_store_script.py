"""The script that brings dumps to an object store, with a restic that answers as told."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.store_script import NAME, run_script

_RESTIC = """#!/bin/sh
# The command is the first word that is no option; of those before it one has a value.
for it; do case "$it" in -*|1s) ;; *) break ;; esac; done
echo "$it" >> {calls}
case "$it" in
  {answers}
esac
"""


@dataclass(frozen=True)
class Told:
    """How a run with a restic that answers as told ended."""

    code: int
    said: list[str]
    asked: list[str]
    """What restic was asked for, in order."""


def run(folder: Path, verb: str, answers: dict[str, str]) -> Told:
    """Runs the script with a restic that answers each command with some shell."""
    calls = folder / "calls"
    calls.touch()
    lines = "\n  ".join(f"{command}) {shell} ;;" for command, shell in answers.items())
    restic = folder / "restic"
    restic.write_text(_RESTIC.format(calls=calls, answers=lines))
    restic.chmod(0o755)
    ran = run_script(folder, verb, restic)
    return Told(ran.code, ran.said, calls.read_text().split())


@pytest.mark.parametrize(
    ("told", "code", "said"),
    [
        (
            "Fatal: wrong password or no key found",
            12,
            "were made with another key: put the key of the tests",
        ),
        ("Stat: The specified bucket does not exist.", 1, "there is no bucket"),
        ("Stat: No user exists with the provided access key ID.", 1, "set the credentials anew"),
        ("Stat: The request signature we calculated does not match", 1, "set the credentials anew"),
        ("Stat: Access Denied.", 1, "read, write and delete objects below the prefix"),
        ("tls: failed to verify certificate: x509: unknown authority", 1, "set caBundle"),
        ("dial tcp 10.1.2.3:443: connect: connection refused", 1, "does not answer"),
        ("lookup s3.example.com: no such host", 1, "does not answer"),
        ("The difference between the request time and the current time is too", 1, "by minutes"),
        ("Fatal: write: no space left on device", 1, "is full"),
        ("Save failed: 507 Insufficient Storage", 1, "is full"),
        ("Save failed: Bucket quota exceeded", 1, "is full"),
        ("Save of 1507 bytes to quota.example.com: raining", 1, "refused: Save of 1507 bytes"),
        ("Fatal: it is raining", 1, "refused: Fatal: it is raining"),
    ],
)
@pytest.mark.parametrize("verb", ["put", "list", "fetch", "check"])
def test_what_is_wrong_is_said_in_one_sentence_and_nothing_is_made(
    verb: str, told: str, code: int, said: str, tmp_path: Path
) -> None:
    done = run(tmp_path, verb, {"*": f"echo '{told}' >&2; exit {code}"})
    assert done.code == 1
    assert len(done.said) == 1
    assert said in done.said[0]
    assert not {"init", "backup", "forget"} & {*done.asked}


PUT = {
    "unlock": "exit 10",
    "cat": "exit 10",
    "backup": """echo '{"snapshot_id":"abc"}'""",
    "dump": "printf 'the dump'",
}


def test_a_dump_counts_after_it_was_read_back_and_old_ones_go_then(tmp_path: Path) -> None:
    done = run(tmp_path, "put", PUT)
    assert (done.code, done.asked) == (
        0,
        ["unlock", "cat", "init", "key", "backup", "dump", "tag", "forget", "forget"],
    )
    assert done.said == [f"wrote https://s3.example.com/b/p/{NAME} (8 bytes), and read it back"]


@pytest.mark.parametrize("spoilt", ["printf 'the dumb'", "echo 'Fatal: broken' >&2; exit 1"])
def test_what_cannot_be_read_back_counts_for_nothing_and_removes_nothing(
    spoilt: str, tmp_path: Path
) -> None:
    done = run(tmp_path, "put", {**PUT, "dump": spoilt})
    assert done.code == 1
    assert "no older one was removed" in done.said[-1]
    assert not {"tag", "forget"} & {*done.asked}


@pytest.mark.parametrize("verb", ["put", "check"])
def test_credentials_that_may_not_delete_are_said_before_anything_is_written(
    verb: str, tmp_path: Path
) -> None:
    """Its own lock would look like another backup's; restic itself ends well."""
    unreleased = "echo 'Remove(<lock/ab>) failed: Access Denied.' >&2"
    done = run(tmp_path, verb, {**PUT, "unlock": ":", "key": unreleased, "cat": unreleased})
    assert done.code == 1
    assert len(done.said) == 1
    assert "read, write and delete objects below the prefix" in done.said[0]
    assert "backup" not in done.asked


def test_credentials_that_may_not_make_the_first_backup_are_said(tmp_path: Path) -> None:
    done = run(tmp_path, "put", {**PUT, "init": "echo 'Access Denied.' >&2; exit 1"})
    assert (done.code, len(done.said)) == (1, 1)
    assert "may not do this" in done.said[0]


def test_a_backup_is_fetched_with_credentials_that_may_only_read(tmp_path: Path) -> None:
    snapshots = f"""echo '[{{"paths":["/backups/{NAME}"],"short_id":"ab12"}}]'"""
    # The lock is what cannot be written.
    dump = 'case "$*" in *--no-lock*) printf dump ;; *) echo "Access Denied." >&2; exit 1 ;; esac'
    done = run(tmp_path, "fetch", {"snapshots": snapshots, "dump": dump})
    assert (done.code, done.said) == (0, [])
    assert (tmp_path / "backups" / NAME).read_text() == "dump"


def test_a_store_without_backups_has_none_and_is_no_failure(tmp_path: Path) -> None:
    assert run(tmp_path, "list", {"*": "exit 10"}).said == ["snapshots|[]"]


def test_a_name_that_is_not_there_is_refused_as_no_verdict(tmp_path: Path) -> None:
    done = run(tmp_path, "fetch", {"*": "echo '[]'"})
    assert (done.code, done.said[0]) == (1, "refused")


def test_a_bucket_that_is_missing_is_not_made_where_the_store_says_so_when_asked_for_its_region(
    tmp_path: Path,
) -> None:
    missing = "echo 'Stat: The specified bucket does not exist.' >&2; exit 1"
    done = run(tmp_path, "put", {**PUT, "cat": missing})
    assert (done.code, done.asked) == (1, ["unlock", "cat"])
    assert "there is no bucket" in done.said[0]
