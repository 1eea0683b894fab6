"""The programs that set-up takes from the machine, and those that it builds."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from console.failure import Failure
from distribution import golang, recipes, store
from toolchain import (
    environment,
    files,
    internet,
    paths,
    tools,
)


def _installed_kube_score(folder: Path, version: str) -> Path:
    program = folder / "kube-score"
    program.write_text(
        f"#!/bin/sh\necho 'kube-score version: {version}, commit: abc, built: now'\n"
    )
    program.chmod(0o755)
    return program


def test_a_pulumi_on_path_is_what_runs_also_where_one_was_built_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    monkeypatch.setattr(paths, "BIN", ours)
    monkeypatch.setenv("PATH", f"{theirs}{os.pathsep}{os.environ['PATH']}")
    for folder, version in ((ours, "3.259.0"), (theirs, "3.274.1")):
        folder.mkdir()
        for name in ("pulumi", "pulumi-language-python", "pulumi-language-python-exec", "kubectl"):
            (folder / name).write_text(f"#!/bin/sh\necho v{version}\n")
            (folder / name).chmod(0o755)
    tools.ensure_pulumi()
    path = environment.variables("minikube")["PATH"]
    assert Path(str(shutil.which("pulumi", path=path))).parent == theirs
    assert Path(str(shutil.which("pulumi-language-python", path=path))).parent == theirs
    assert Path(str(shutil.which("pulumi-language-python-exec", path=path))).parent == theirs
    assert Path(str(shutil.which("kubectl", path=path))).parent == ours


@pytest.mark.parametrize(
    ("on_path", "installed", "built", "answers", "builds"),
    [
        ("3.274.1", False, True, False, False),
        (None, True, True, False, False),
        (None, False, True, True, True),
        (None, False, False, True, False),
        (None, False, False, False, True),
    ],
)
def test_the_newest_packages_are_for_an_official_pulumi(
    on_path: str | None,
    installed: bool,
    built: bool,
    answers: bool,
    builds: bool,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(paths, "cache", lambda: tmp_path)
    monkeypatch.setattr(tools, "pulumi_on_path", lambda: on_path)
    monkeypatch.delenv(store.VARIABLE, raising=False)
    monkeypatch.setattr(internet, "answers", lambda _url: answers)
    if built:
        kept = recipes.output("pulumi")
        kept.mkdir(parents=True)
        for file in (*recipes.RECIPES["pulumi"].files, store.SUMS):
            (kept / file).touch()
    if installed:
        program = tmp_path / "pulumi-official" / "bin" / "pulumi"
        program.parent.mkdir(parents=True)
        program.touch()
    assert tools.builds_pulumi() is builds


def test_the_official_installer_gives_the_newest_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    installer = tmp_path / "installer"
    # As the official one: everything goes into bin below the root.
    installer.write_text(
        'test "$1" = --install-root && test "$3" = --no-edit-path && test $# = 3 || exit 1\n'
        'mkdir -p "$2/bin" && printf "#!/bin/sh\\necho v3.300.0" > "$2/bin/pulumi"\n'
        'chmod +x "$2/bin/pulumi"\n'
        f"test -e {tmp_path}/reached || exit 1\n"
        f"echo installed >> {tmp_path}/times\n"
    )
    for name in ("LOCAL", "BIN"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(paths, name, tmp_path / name)
    monkeypatch.setattr(paths, "cache", lambda: tmp_path)
    monkeypatch.setattr(tools, "pulumi_on_path", lambda: None)
    monkeypatch.setattr(recipes, "built", lambda _name: False)
    monkeypatch.setattr(tools, "_INSTALLER", installer.as_uri())
    with pytest.raises(Failure, match="installing Pulumi failed"):
        tools.ensure_pulumi()
    (tmp_path / "reached").touch()  # the installer's end, after the first of its files
    tools.ensure_pulumi()
    tools.ensure_pulumi()
    assert capsys.readouterr().out.count("pulumi 3.300.0: from its official installer") == 2
    assert (tmp_path / "times").read_text() == "installed\n"
    assert (tmp_path / "BIN" / "pulumi").exists()


def test_an_installer_that_cannot_be_fetched_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("LOCAL", "BIN"):
        monkeypatch.setattr(paths, name, tmp_path / name)
    monkeypatch.setattr(paths, "cache", lambda: tmp_path)
    monkeypatch.setattr(tools, "pulumi_on_path", lambda: None)
    monkeypatch.setattr(tools, "builds_pulumi", lambda: False)
    monkeypatch.setattr(tools, "_INSTALLER", (tmp_path / "gone").as_uri())
    with pytest.raises(Failure, match=r"cannot be fetched .*; see that .* run again$"):
        tools.ensure_pulumi()


def test_an_installed_kube_score_of_the_pinned_version_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    program = _installed_kube_score(tmp_path, recipes.KUBE_SCORE)
    assert tools.linter("kube-score") == program
    _installed_kube_score(tmp_path, "1.0.0")
    assert tools.linter("kube-score") is None


@pytest.fixture
def nothing_can_be_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As on a machine with nothing on PATH, an empty cache and no Go."""

    def fail() -> str:
        raise Failure("Go 1.24 or newer is needed.")

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(golang, "command", fail)


@pytest.mark.usefixtures("nothing_can_be_built")
def test_what_keeps_a_linter_out_of_the_tests_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    tools.ensure_linters()
    said = capsys.readouterr().out.splitlines()
    for name in ("kube-score", "actionlint"):
        assert f"  {name}: left out of the tests, because Go 1.24 or newer is needed." in said


def test_helm_is_not_built_for_a_measurement_where_nothing_else_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    tools.ensure_helm()
    assert "  helm: not on PATH, so what needs it is left out\n" in capsys.readouterr().out
    (tmp_path / "helm").write_text("#!/bin/sh\n")
    (tmp_path / "helm").chmod(0o755)
    tools.ensure_helm()
    assert "  helm: found on PATH\n" in capsys.readouterr().out


@pytest.mark.usefixtures("nothing_can_be_built")
def test_a_helm_that_cannot_be_built_is_left_out_of_a_measurement(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(recipes, "built", lambda name: name == "plugins")
    tools.ensure_helm()
    said = capsys.readouterr().out
    assert "  helm: what needs it is left out, because Go 1.24 or newer is needed." in said


def test_what_signs_images_is_taken_from_path_and_else_built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built: list[str] = []

    def build(names: Sequence[str]) -> None:
        built.extend(names)
        for name in names:
            (tmp_path / "built" / name).mkdir(parents=True)
            (tmp_path / "built" / name / name).touch()

    monkeypatch.setattr(recipes, "build_missing", build)
    monkeypatch.setattr(recipes, "output", lambda name: tmp_path / "built" / name)
    monkeypatch.setattr(paths, "BIN", tmp_path / "bin")
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "syft").write_text("#!/bin/sh\n")
    (tmp_path / "syft").chmod(0o755)
    tools.ensure_signing()
    assert built == ["cosign"]
    assert "  syft: found on PATH\n" in capsys.readouterr().out
    assert [it.name for it in (tmp_path / "bin").iterdir()] == ["cosign"]


def test_the_first_program_of_a_fresh_clone_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "helm").write_text("#!/bin/sh\n")
    monkeypatch.setattr(paths, "BIN", tmp_path / "clone" / ".local" / "bin")
    files.link_programs([tmp_path / "helm"])
    assert (paths.BIN / "helm").read_text() == "#!/bin/sh\n"


def test_the_cli_gets_the_host_that_was_built_last(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def output(name: str) -> Path:
        return tmp_path / f"{name}-{build}"

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(recipes, "output", output)
    for build in (1, 2):
        for name in ("pulumi", "language-python"):
            output(name).mkdir()
            for file in recipes.RECIPES[name].files:
                (output(name) / file).write_text(f"{name} {build}")
        folder = tools._distribution()  # pyright: ignore[reportPrivateUsage]
        assert (folder / "pulumi").read_text() == f"pulumi {build}"
        assert (folder / "pulumi-language-python").read_text() == f"pulumi {build}"
        assert (folder / "pulumi-python-host").read_text() == f"language-python {build}"
        assert os.access(folder / "pulumi-resource-pulumi-python", os.X_OK)
