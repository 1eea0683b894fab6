"""What was built once is kept, and may come out of a folder that TODO_CACHE names."""

import errno
import io
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.failure import Failure
from distribution import golang, recipes, store
from toolchain import missing, paths, ui

RECIPE = "language-python"
PROGRAM = recipes.RECIPES[RECIPE].files[0]


@pytest.fixture(autouse=True)
def no_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with nothing on it, where a build is a mistake."""

    def build() -> str:
        raise Failure("Go is missing.")

    monkeypatch.delenv(store.VARIABLE, raising=False)
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "own")
    monkeypatch.setattr(golang, "command", build)


@pytest.fixture
def team(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A team's cache: a copy of the one of a colleague, who has built the recipe."""
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "colleague")

    def compile_(staged: Path) -> None:
        (staged / PROGRAM).write_text("a program")
        (staged / PROGRAM).chmod(0o755)

    store.keep(recipes.output(RECIPE), compile_)
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "own")
    folder = tmp_path / "colleague" / "built"
    monkeypatch.setenv(store.VARIABLE, str(folder))
    return folder


def shared_thing(team: Path) -> Path:
    return team / recipes.output(RECIPE).name


def test_what_a_team_has_built_is_not_built_again(
    team: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = recipes.build(RECIPE)
    assert (folder / PROGRAM).read_text() == "a program"
    assert (folder / PROGRAM).stat().st_mode & 0o111
    assert "taken from TODO_CACHE" in capsys.readouterr().out
    assert recipes.missing([RECIPE]) == []


def test_what_was_taken_once_needs_the_teams_folder_no_more(
    team: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipes.build(RECIPE)
    (shared_thing(team) / PROGRAM).write_text("something else")
    assert (recipes.build(RECIPE) / PROGRAM).read_text() == "a program"
    monkeypatch.setenv(store.VARIABLE, "/nowhere/to/be/found")
    assert recipes.built(RECIPE)


def test_the_teams_folder_is_only_read(team: Path) -> None:
    before = {it: it.stat().st_mtime_ns for it in team.rglob("*")}
    recipes.build(RECIPE)
    assert {it: it.stat().st_mtime_ns for it in team.rglob("*")} == before


def test_what_a_team_has_not_built_is_built_here(team: Path) -> None:
    assert recipes.missing(["actionlint"]) == ["actionlint"]
    with pytest.raises(Failure, match="Go is missing"):
        recipes.build("actionlint")


def test_a_team_of_another_architecture_has_nothing_for_this_machine(
    team: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(missing, "architecture", lambda: "riscv64")
    with pytest.raises(Failure, match="Go is missing"):
        recipes.build(RECIPE)


def test_a_program_that_was_tampered_with_is_named_and_never_kept(team: Path) -> None:
    tampered = shared_thing(team) / PROGRAM
    tampered.write_text("another program")
    with pytest.raises(Failure, match=rf"^{tampered} is not what was built.* run again"):
        recipes.build(RECIPE)
    assert not recipes.built(RECIPE)
    assert list((paths.cache() / "built").iterdir()) == []


@pytest.mark.parametrize("lacking", [PROGRAM, store.SUMS])
def test_a_copy_that_broke_off_is_named(team: Path, lacking: str) -> None:
    (shared_thing(team) / lacking).unlink()
    with pytest.raises(Failure, match=rf"{shared_thing(team)} is incomplete .*{lacking}"):
        recipes.build(RECIPE)
    assert not recipes.built(RECIPE)


def test_sums_that_are_no_sums_are_named(team: Path) -> None:
    (shared_thing(team) / store.SUMS).write_text("<html>\n")
    with pytest.raises(Failure, match=rf"^{shared_thing(team)} is incomplete"):
        recipes.build(RECIPE)


def test_a_program_without_a_sum_is_not_run(team: Path) -> None:
    (shared_thing(team) / store.SUMS).write_text("")
    with pytest.raises(Failure, match="is not what was built"):
        recipes.build(RECIPE)


def test_a_folder_that_is_not_there_is_no_reason_to_build_for_minutes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(store.VARIABLE, str(tmp_path / "mistyped"))
    with pytest.raises(Failure, match=r"mistyped cannot be read \(No such file.*; correct it"):
        recipes.missing([RECIPE])


def test_what_is_no_folder_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(store.VARIABLE, str(tmp_path / "file"))
    with pytest.raises(Failure, match=r"file cannot be read \(Not a directory\)"):
        recipes.missing([RECIPE])


def test_a_folder_that_nobody_may_read_is_said(monkeypatch: pytest.MonkeyPatch, team: Path) -> None:
    def iterdir(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", iterdir)  # root may read everything
    with pytest.raises(Failure, match=r"cannot be read \(Permission denied\)"):
        recipes.missing([RECIPE])


def test_a_relative_path_would_mean_another_folder_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(store.VARIABLE, "cache")
    with pytest.raises(Failure, match="TODO_CACHE=cache is no absolute path"):
        recipes.missing([RECIPE])


def test_an_interrupted_build_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(golang, "command", lambda: "go")
    monkeypatch.setattr(ui, "run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        recipes.build(RECIPE)
    assert list((paths.cache() / "built").iterdir()) == []


def test_a_full_disk_here_is_no_fault_of_the_teams_folder(
    team: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.BytesIO):
        def write(self, *_: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    opened = Path.open

    def open_(path: Path, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        return Full() if mode == "wb" else opened(path, mode, *arguments, **options)

    monkeypatch.setattr(Path, "open", open_)
    with pytest.raises(OSError, match="No space left on device"):
        recipes.build(RECIPE)
    monkeypatch.undo()
    assert shared_thing(team).exists()


def test_a_disk_of_the_team_that_fails_is_named(
    team: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(io.BytesIO):
        def read(self, *_: object) -> bytes:
            raise OSError(errno.EIO, "Input/output error", "the program")

    opened: Any = Path.open
    program = shared_thing(team) / PROGRAM

    def open_(path: Path, *arguments: Any, **options: Any) -> Any:
        if path == program:
            return Failing()
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", open_)
    with pytest.raises(Failure, match=rf"^{program.parent} is incomplete .*Input/output"):
        recipes.build(RECIPE)


def test_programs_run_also_where_the_copy_lost_their_permissions(team: Path) -> None:
    (shared_thing(team) / PROGRAM).chmod(0o600)
    assert (recipes.build(RECIPE) / PROGRAM).stat().st_mode & 0o777 == 0o755


def test_what_another_make_up_has_kept_meanwhile_stays_as_it_uses_it() -> None:
    thing = store.place("a-thing", "0" * 12)

    def make(staged: Path) -> None:
        writes("ours")(staged)
        if not thing.exists():
            store.keep(thing, writes("theirs"))

    store.keep(thing, make)
    assert (thing / PROGRAM).read_text() == "theirs"
    assert store.has(thing, [PROGRAM])


def test_rests_of_a_thing_are_replaced() -> None:
    thing = store.place("a-thing", "0" * 12)
    thing.mkdir(parents=True)
    (thing / "rest").touch()
    store.keep(thing, writes("ours"))
    assert {it.name for it in thing.iterdir()} == {PROGRAM, store.SUMS}


def writes(text: str) -> Callable[[Path], None]:
    """A build of the program that writes so."""

    def make(staged: Path) -> None:
        (staged / PROGRAM).write_text(text)

    return make


def test_the_sums_are_as_sha256sum_reads_them(team: Path) -> None:
    command = ["sha256sum", "--check", "--strict", store.SUMS]
    subprocess.run(command, cwd=shared_thing(team), check=True, capture_output=True)
