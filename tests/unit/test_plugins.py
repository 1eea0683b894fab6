"""Which plugins Pulumi looks for, and what is said where one that is needed is not there."""

import argparse
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from console.failure import Failure
from distribution import recipes
from toolchain import __main__ as commands
from toolchain import environment, groundwork, health, machine, paths, plugins, python_env, tools
from toolchain.stack import Stack

PRE_INSTALL = "PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL"
NOT_FETCHED = "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"
ENGINE = {"images": {"mode": "load", "builder": {"engine": "docker"}}}
PRINTS = "python3 -c 'import json, os; print(json.dumps(dict(os.environ)))'"
PRINTS_ITS_ENVIRONMENT = f"#!/bin/sh\n{PRINTS}\n"


@pytest.fixture(autouse=True)
def clone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A clone of its own, whose Python environment has pulumi-docker's package."""
    folders = {"PROJECT": "", "LOCAL": ".local", "BIN": ".local/bin", "VENV": ".venv"}
    for name, folder in folders.items():
        (tmp_path / folder).mkdir(exist_ok=True)
        monkeypatch.setattr(paths, name, tmp_path / folder)
    package = tmp_path / ".venv" / "lib" / "python3.13" / "site-packages" / "pulumi_docker"
    package.mkdir(parents=True)
    about = {"resource": True, "name": "docker", "version": "5.2.0"}
    (package / "pulumi-plugin.json").write_text(json.dumps(about))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "pulumi"))
    for name in (PRE_INSTALL, NOT_FETCHED):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def program(file: Path, text: str = PRINTS_ITS_ENVIRONMENT) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    return file


def built(clone: Path) -> None:
    """Puts a `pulumi` where one that was built here is."""
    made = program(clone / "cache" / "todo-kubernetes" / "built" / "distribution-1" / "pulumi")
    (clone / ".local" / "bin" / "pulumi").symlink_to(made)


def official(clone: Path) -> None:
    """Puts a `pulumi` where its installer's is."""
    bin_ = clone / "cache" / "todo-kubernetes" / "pulumi-official" / "bin"
    link = clone / ".local" / "bin" / "pulumi"
    link.unlink(missing_ok=True)
    link.symlink_to(program(bin_ / "pulumi"))


def pulumis() -> dict[str, Any]:
    """The environment that a command of Pulumi's gets from `make up`."""
    return Stack("minikube", has_file=False).export()


def shells() -> dict[str, str]:
    """The environment of a shell after `eval "$(make env)"`."""
    command = f"{environment.shell('minikube')}\n{PRINTS}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_a_plugin_is_looked_for_when_something_uses_it(clone: Path) -> None:
    official(clone)
    assert shells()[PRE_INSTALL] == pulumis()[PRE_INSTALL] == "true"


def test_a_pulumi_that_was_built_here_tries_no_server_for_a_plugin(clone: Path) -> None:
    built(clone)
    assert shells()[NOT_FETCHED].lower() == pulumis()[NOT_FETCHED].lower() == "true"


def test_any_other_pulumi_fetches_its_plugins(clone: Path) -> None:
    official(clone)
    assert NOT_FETCHED not in shells()
    assert NOT_FETCHED not in pulumis()


@pytest.mark.parametrize("chosen", ["false", "true", "1"])
def test_what_a_person_says_about_fetching_stays(
    chosen: str, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NOT_FETCHED, chosen)
    for install in (built, official):
        install(clone)
        assert shells()[NOT_FETCHED] == pulumis()[NOT_FETCHED] == chosen


def test_a_pulumi_that_is_installed_later_fetches_its_plugins_in_the_same_shell(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(clone)
    monkeypatch.setenv(NOT_FETCHED, shells()[NOT_FETCHED])
    official(clone)
    assert NOT_FETCHED not in shells()
    assert NOT_FETCHED not in pulumis()


class TestTheDockerEngine:
    """`images.builder.engine: docker`, whose plugin is the one that is not built here."""

    WANTED = "resource-docker-v5.2.0"

    def test_without_its_plugin_is_one_sentence(self) -> None:
        with pytest.raises(Failure) as caught:
            plugins.check_settings(ENGINE, "Pulumi.minikube.yaml")
        sentence = str(caught.value)
        assert "images.builder.engine is docker in Pulumi.minikube.yaml" in sentence
        assert "choose docker-build, install Pulumi" in sentence
        assert "`pulumi plugin install resource docker 5.2.0`" in sentence
        assert sentence.endswith("nothing was changed.")

    def test_with_its_plugin_goes_on(self, clone: Path) -> None:
        program(clone / "pulumi" / "plugins" / self.WANTED / "pulumi-resource-docker")
        plugins.check_settings(ENGINE, "Pulumi.minikube.yaml")

    def test_with_a_plugin_on_path_goes_on(
        self, clone: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program(clone / "more" / "pulumi-resource-docker")
        monkeypatch.setenv("PATH", f"{clone / 'more'}{os.pathsep}{os.environ['PATH']}")
        plugins.check_settings(ENGINE, "Pulumi.minikube.yaml")

    def test_with_another_version_of_the_plugin_does_not(self, clone: Path) -> None:
        folder = clone / "pulumi" / "plugins" / "resource-docker-v4.11.2"
        program(folder / "pulumi-resource-docker")
        with pytest.raises(Failure, match=r"plugin 5\.2\.0"):
            plugins.check_settings(ENGINE, "Pulumi.minikube.yaml")

    @pytest.mark.parametrize("settings", [{}, {"images": {"builder": {"engine": "docker-build"}}}])
    def test_is_not_asked_for_by_others(self, settings: dict[str, Any]) -> None:
        plugins.check_settings(settings, "Pulumi.minikube.yaml")

    @pytest.mark.parametrize("builds", [True, False])
    def test_is_refused_by_make_up_before_a_cluster_is_looked_at_where_pulumi_is_built(
        self, builds: bool, clone: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def look(_: Stack) -> None:
            raise Failure("the cluster is looked at")

        (clone / "Pulumi.minikube.yaml").touch()
        monkeypatch.setattr(tools, "builds_pulumi", lambda: builds)
        monkeypatch.setattr(python_env, "ensure", lambda *_, **__: None)
        monkeypatch.setattr(Stack, "check_settings", lambda _: {})
        monkeypatch.setattr(Stack, "settings", lambda _: ENGINE)
        monkeypatch.setattr(machine, "chosen", look)
        with pytest.raises(Failure, match="docker plugin" if builds else "is looked at"):
            commands.up(argparse.Namespace(stack="minikube"))


def state(name: str, version: str) -> dict[str, Any]:
    """The state of a stack with something of a plugin's."""
    provider = {"type": f"pulumi:providers:{name}", "custom": True, "inputs": {"version": version}}
    return {"deployment": {"resources": [{"type": "pulumi:pulumi:Stack"}, provider]}}


class TestAStateThatAPluginMade:
    """The plugin has gone since."""

    def test_has_images_that_cannot_be_forgotten_without_it(self) -> None:
        made = state("docker", "4.11.2")
        with pytest.raises(Failure) as update:
            plugins.check_update("minikube", made)
        with pytest.raises(Failure) as removal:
            plugins.check_removal("minikube", made, "make up")
        sentence = str(update.value)
        assert sentence == str(removal.value)
        assert "Stack minikube has images of Pulumi's docker plugin 4.11.2" in sentence
        assert "`pulumi plugin install resource docker 4.11.2`" in sentence
        assert sentence.endswith("nothing was changed.")

    @pytest.mark.parametrize("builds", [True, False])
    def test_is_refused_by_make_up_where_pulumi_is_built(
        self, builds: bool, clone: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def prepare(*_: object) -> None:
            raise Failure("the stack is changed")

        (clone / "Pulumi.minikube.yaml").touch()
        monkeypatch.setattr(tools, "builds_pulumi", lambda: builds)
        monkeypatch.setattr(tools, "ensure_pulumi", lambda: None)
        monkeypatch.setattr(python_env, "ensure", lambda *_, **__: None)
        monkeypatch.setattr(groundwork, "lay", lambda *_, **__: None)
        monkeypatch.setattr(machine, "chosen", lambda _: None)
        monkeypatch.setattr(machine, "prepare", lambda *_: False)
        monkeypatch.setattr(health, "look", lambda *_: None)
        monkeypatch.setattr(Stack, "check_settings", lambda _: {})
        monkeypatch.setattr(Stack, "settings", lambda _: {})
        monkeypatch.setattr(Stack, "state", lambda _: state("docker", "4.11.2"))
        monkeypatch.setattr(Stack, "prepare", prepare)
        with pytest.raises(Failure, match="docker plugin" if builds else "stack is changed"):
            commands.up(argparse.Namespace(stack="minikube"))

    def test_is_updated_with_the_one_that_is_built(self) -> None:
        plugins.check_update("minikube", state("kubernetes", "4.18.1"))

    def test_is_removed_after_an_update_alone(self) -> None:
        with pytest.raises(Failure, match=r"kubernetes plugin 4\.18\.1.*run `make up STACK=x`"):
            plugins.check_removal("x", state("kubernetes", "4.18.1"), "make up STACK=x")

    @pytest.mark.parametrize("name", ["docker", "kubernetes"])
    def test_is_updated_and_removed_where_it_is_there(self, name: str, clone: Path) -> None:
        folder = clone / "pulumi" / "plugins" / f"resource-{name}-v4.18.1"
        program(folder / f"pulumi-resource-{name}")
        plugins.check_update("minikube", state(name, "4.18.1"))
        plugins.check_removal("minikube", state(name, "4.18.1"), "make up")

    def test_is_nothing_where_there_is_no_state(self) -> None:
        plugins.check_removal("minikube", None, "make up")


def test_plugins_that_are_built_are_put_back_when_they_are_gone(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def output(name: str) -> Path:
        return clone / "cache" / "todo-kubernetes" / "built" / name

    monkeypatch.setattr(tools, "pulumi_on_path", lambda: None)
    monkeypatch.setattr(recipes, "output", output)
    monkeypatch.setattr(recipes, "missing", lambda _names: [])
    monkeypatch.setattr(recipes, "build_missing", lambda _names: None)
    for name in ("pulumi", "language-python", "plugins"):
        for file in recipes.RECIPES[name].files:
            program(output(name) / file)
    tools.ensure_pulumi()
    found = sorted((clone / "pulumi" / "plugins").glob("*/pulumi-resource-*"))
    assert [it.name for it in found] == [
        "pulumi-resource-docker-build",
        "pulumi-resource-kubernetes",
    ]
    for it in found:
        it.unlink()
    tools.ensure_pulumi()
    assert all(os.access(it, os.X_OK) for it in found)
    assert tools.runs_built()


def test_a_pulumi_on_path_is_asked_for_its_version_once(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program(clone / "more" / "pulumi", f"#!/bin/sh\necho asked >> {clone}/asked; echo v3.274.1\n")
    monkeypatch.setenv("PATH", f"{clone / 'more'}{os.pathsep}{os.environ['PATH']}")
    assert not tools.builds_pulumi()
    tools.ensure_pulumi()
    assert "pulumi 3.274.1: found on PATH" in capsys.readouterr().out
    assert (clone / "asked").read_text() == "asked\n"
