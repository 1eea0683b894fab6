"""The command line: what it lists, and that Makefile and documentation list the same."""

import errno
import os
import re
import subprocess
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from console.failure import ExitCode, Failure
from ops import invocation, terminal
from ops.__main__ import main
from ops.command_line import app
from ops.commands.forward import local_ports
from tests.ops.stacks import deployed, with_database_outside

PROJECT = Path(__file__).parents[2]
_ALONE = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
"""Lest the make of these tests takes itself for a part of the one that runs them."""
COMMANDS = sorted(typer.main.get_group(app).commands)


def test_make_has_every_command() -> None:
    shown = subprocess.run(
        ["make", "help"], cwd=PROJECT, env=_ALONE, capture_output=True, text=True
    )
    for command in COMMANDS:
        assert f"  make {command} " in shown.stdout
        dry = ["make", "-n", command, "YES=1"]
        done = subprocess.run(dry, cwd=PROJECT, env=_ALONE, capture_output=True, text=True)
        assert f"-m ops --stack minikube {command}" in done.stdout


def test_make_asks_before_something_that_changes_data() -> None:
    for command in (
        "restore",
        "switchover",
        "move-database",
        "rotate-password",
        "rotate-jwt-key",
        "separate-roles",
    ):
        for said, expected in (("YES=1", True), ("YES=no", False), ("YES=", False)):
            dry = ["make", "-n", command, said]
            done = subprocess.run(dry, cwd=PROJECT, env=_ALONE, capture_output=True, text=True)
            last = done.stdout.strip().splitlines()[-1]
            assert ("--yes" in last) == expected


@pytest.mark.parametrize(
    ("words", "ends"),
    [
        (["restore", "TO=2026-01-31T09:00:00Z", "YES=1"], "--to '2026-01-31T09:00:00Z' --yes"),
        (["restore", "DUMP=todo-1.dump"], "--dump 'todo-1.dump'"),
        (["restore-drill", "DUMP=todo-1.dump"], "--dump 'todo-1.dump'"),
        (["switchover", "TO=postgres-2"], "--to 'postgres-2'"),
        (["move-database", "TO=operator", "YES=1"], "--to 'operator' --yes"),
    ],
)
def test_make_passes_on_what_is_named(words: list[str], ends: str) -> None:
    dry = ["make", "-n", *words]
    done = subprocess.run(dry, cwd=PROJECT, env=_ALONE, capture_output=True, text=True)
    assert " ".join(done.stdout.strip().splitlines()[-1].split()).endswith(ends)


def test_the_documentation_has_every_command() -> None:
    page = (PROJECT / "docs/operations.md").read_text(encoding="utf-8")
    table = page.partition("| Command | Does |")[2].partition("\n\n")[0]
    documented = {name for row in re.findall(r"^\| (`.*?) \|", table, re.M) for name in _names(row)}
    assert documented == set(COMMANDS)


def _names(cell: str) -> list[str]:
    return [words.split()[0] for words in re.findall(r"`([a-z][^`]*)`", cell)]


def test_every_command_explains_itself() -> None:
    for command in COMMANDS:
        shown = CliRunner().invoke(app, [command, "--help"])
        assert shown.exit_code == 0
        assert f"Usage: ops {command}" in shown.output


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["--stack", "", "restore", "--yes"], "--stack"),
        (["restore", "--yes", "--to", ""], "--to"),
        (["restore", "--yes", "--dump", " "], "--dump"),
        (["restore", "--yes", "--lost", "--archive", ""], "--archive"),
        (["restore-drill", "--dump", ""], "--dump"),
    ],
)
def test_an_option_without_its_value_is_not_taken_for_one_that_was_left_out(
    words: list[str], option: str
) -> None:
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, Failure)
    assert str(done.exception).startswith(f"{option} has an empty value")
    assert done.exception.code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["restore", "--undo", "--to", "2026-01-31T09:00:00Z"], "--undo goes with no --to"),
        (["restore", "--undo", "--drop-old"], "--undo goes with no --drop-old"),
        (["restore", "--resume", "--undo"], "--undo goes with no --resume"),
        (["restore", "--resume", "--dump", "x"], "--resume goes with no --dump"),
        (["restore", "--dump", "x", "--lost"], "--dump and --lost name two things"),
        (["restore-drill", "--fresh", "--dump", "x"], "--fresh and --dump name two backups"),
        (["move-database", "--to", "operator", "--drop-old"], "--drop-old goes with no --to"),
        (["upgrade-database", "--back", "--forget-old"], "--back and --forget-old are two ways"),
    ],
)
def test_an_option_that_would_not_be_heeded_is_refused(words: list[str], said: str) -> None:
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, Failure)
    assert str(done.exception).startswith(said)
    assert done.exception.code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--stack", "full"], "go back: python -m ops --stack full restore --undo"),
        ([], "go back: python -m ops restore --undo"),
    ],
)
def test_what_is_to_be_run_next_names_the_stack_that_was_named(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    CliRunner().invoke(app, [*words, "restore", "--to", ""])
    try:
        terminal.say("go back: python -m ops restore --undo")
        terminal.note("see `python -m ops --stack other validate`")
    finally:
        invocation.name_stack(None)
    printed = capsys.readouterr()
    assert printed.out.strip() == told
    assert printed.err.strip() == "see `python -m ops --stack other validate`"


def test_what_the_system_refuses_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/x")

    monkeypatch.setattr("ops.command_line.app", full)
    monkeypatch.setattr("ops.__main__.end_as_by_ctrl_c", lambda: None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == ExitCode.FAILED
    said = capsys.readouterr().err
    assert said == "No space left on device: /x; make room there and run the same command again.\n"


@pytest.mark.parametrize("ended", [KeyboardInterrupt(), SystemExit(130)])
@pytest.mark.parametrize(
    ("step", "said"),
    [
        (None, ""),
        (
            "3/4 Changing it in the database",
            "3/4 Changing it in the database …\nInterrupted in the step “3/4 Changing it in the "
            "database”; `python -m ops validate` says how things stand and how it goes on.\n",
        ),
    ],
)
def test_who_interrupts_a_step_is_told_which(
    ended: BaseException,
    step: str | None,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def command() -> None:
        with suppress(KeyboardInterrupt), terminal.progress(step) if step else nullcontext():
            raise KeyboardInterrupt
        raise ended

    monkeypatch.setattr("ops.command_line.app", command)
    monkeypatch.setattr("ops.__main__.end_as_by_ctrl_c", lambda: None)
    monkeypatch.setattr(terminal, "_INTERRUPTED", [])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == ExitCode.INTERRUPTED
    assert capsys.readouterr().err == said


def test_a_variable_that_is_empty_names_no_stack() -> None:
    done = CliRunner().invoke(app, ["--project", "/", "status"], env={"OPS_STACK": ""})
    assert "There is no Pulumi.yaml in /" in str(done.exception)


def test_every_service_can_be_forwarded_to_a_port_of_choice() -> None:
    assert local_ports(deployed(), []) == {"backend": 8000, "frontend": 3000, "database": 5432}
    given = ["--backend", "8001", "--database=0"]
    assert local_ports(deployed(), given) == {"backend": 8001, "frontend": 3000, "database": 0}
    assert "database" not in local_ports(with_database_outside(), [])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--cache", "1"], "no option --cache; there are --backend, --frontend, --database"),
        (["--backend", "many"], "--backend many is not a port"),
        (["--backend", "65536"], "--backend 65536 is not a port"),
        (["--backend"], "is not a port"),
    ],
)
def test_ports_that_are_none_are_refused(given: list[str], said: str) -> None:
    with pytest.raises(Failure, match=said):
        local_ports(deployed(), given)
