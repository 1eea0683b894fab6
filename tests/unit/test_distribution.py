"""The distribution: what its recipes take from where, and what it may use of the rest."""

# pyright: reportPrivateUsage=false
import ast
import configparser
import errno
import json
import os
import re
import shlex
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from console.failure import Failure
from distribution import golang, recipes, store
from distribution.cluster import (
    config,
    kubernetes,
    loopback,
    network,
    registry,
    runtime,
    supervisor,
)
from tests.recording import ROOT
from toolchain import addon_findings, paths, ui

WITH_GENERATED = [name for name, recipe in recipes.RECIPES.items() if recipe.generated]


@pytest.mark.parametrize("name", WITH_GENERATED)
def test_what_a_module_has_generated_is_no_part_of_the_repository(name: str) -> None:
    recipe = recipes.RECIPES[name]
    assert not [it for it in recipe.generated if (paths.MODULES / recipe.module / it).exists()]


@pytest.mark.parametrize("name", WITH_GENERATED)
def test_a_build_takes_what_modules_have_beside_their_sources(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recipe, seen = recipes.RECIPES[name], dict[str, str]()

    def module_file(module: str, inside: str, *, pinned_in: str) -> Path:
        # What go.mod does not pin would be another thing tomorrow.
        assert f"{module} v" in (paths.MODULES / pinned_in / "go.mod").read_text()
        file = tmp_path / "modules" / inside
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text('{"name": "kubernetes"}')
        return file

    def run(command: list[object], *, cwd: Path, **_: object) -> None:
        seen.update({it: (cwd / it).read_text() for it in recipe.generated})
        for package in recipe.packages:
            Path(f"{command[command.index('-o') + 1]}{Path(package).name}").write_text("a program")

    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(golang, "module_file", module_file)
    monkeypatch.setattr(golang, "command", lambda: "go")
    monkeypatch.setattr(ui, "run", run)
    folder = recipes.build(name)
    schema = next(text for it, text in seen.items() if it.endswith("schema.json"))
    assert json.loads(schema) == {"name": "kubernetes", "version": recipes.PULUMI_KUBERNETES}
    assert all(seen.values())
    assert recipes.built(name)
    assert {it.name for it in folder.iterdir()} == {*recipe.files, store.SUMS}
    assert all(os.access(folder / Path(it).name, os.X_OK) for _, it in recipe.scripts)
    assert not [it for it in folder.parent.iterdir() if it.name.startswith(".")]


def environment_of_a_build(monkeypatch: pytest.MonkeyPatch, cache: Path) -> dict[str, str]:
    """What Go is told where it builds; the build is interrupted then."""
    told = dict[str, str]()

    def run(_: Sequence[str | Path], *, env: dict[str, str], **__: object) -> None:
        told.update(env)
        Path(env["GOTMPDIR"], "go-build1").mkdir()
        raise KeyboardInterrupt

    monkeypatch.delenv(store.VARIABLE, raising=False)
    monkeypatch.setattr(paths, "cache", lambda: cache)
    monkeypatch.setattr(golang, "command", lambda: "go")
    monkeypatch.setattr(ui, "run", run)
    with pytest.raises(KeyboardInterrupt):
        recipes.build("language-python")
    return told


def test_an_interrupted_build_leaves_no_folder_of_the_compiler(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOTMPDIR", str(tmp_path))
    work = Path(environment_of_a_build(monkeypatch, tmp_path / "cache")["GOTMPDIR"])
    assert work.parent == tmp_path
    assert not work.exists()


@pytest.mark.parametrize(
    ("gibibytes", "cores", "limit"),
    [(24, 2, "2048MiB"), (16, 8, "1024MiB"), (24, 8, "1536MiB"), (8, 8, None), (2, 2, None)],
)
def test_compilers_on_all_cores_leave_half_the_memory(
    gibibytes: int,
    cores: int,
    limit: str | None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    sizes = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": gibibytes * 2**30 // 4096}
    for name in ("GOGC", "GOMEMLIMIT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    told = environment_of_a_build(monkeypatch, tmp_path)
    assert told.get("GOMEMLIMIT") == limit
    assert told.get("GOGC") == ("off" if limit else None)


def test_what_a_person_has_set_of_gos_memory_stays(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOGC", "50")
    monkeypatch.setenv("GOMEMLIMIT", "3GiB")
    told = environment_of_a_build(monkeypatch, tmp_path)
    assert (told["GOGC"], told["GOMEMLIMIT"]) == ("50", "3GiB")


def test_programs_say_the_version_that_their_module_pins() -> None:
    pulumi = (paths.MODULES / "pulumi" / "go.mod").read_text()
    assert f"github.com/pulumi/pulumi/pkg/v3 {recipes.PULUMI} " in pulumi
    plugins = (paths.MODULES / "plugins" / "go.mod").read_text()
    assert f"github.com/pulumi/pulumi-docker-build v{recipes.PULUMI_DOCKER_BUILD}\n" in plugins
    cluster = (paths.MODULES / "kubernetes" / "go.mod").read_text()
    assert f"k8s.io/kubernetes {recipes.KUBERNETES} " in cluster


def versions(module: str) -> dict[str, str]:
    """The version of each module, and what it is replaced by."""
    text = (paths.MODULES / module / "go.mod").read_text()
    required = dict(re.findall(r"^\t(\S+) (v\S+)", text, re.M))
    return required | dict(re.findall(r"^(?:replace |\t)(\S+) => (\S+ v\S+)$", text, re.M))


@pytest.mark.parametrize("module", ["language-python", "plugins"])
def test_what_is_shared_with_pulumi_is_compiled_once(module: str) -> None:
    """Of other versions it would be compiled a second time."""
    pulumi, own = versions("pulumi"), versions(module)
    # The host was moved out of a later SDK, and the plugins do not go with a later generator.
    others = {f"github.com/pulumi/pulumi/{it}/v3" for it in ("pkg", "sdk")}
    assert {it for it, v in own.items() if pulumi.get(it, v) != v} <= others


def test_a_copy_of_what_is_generated_builds_nothing_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    modules = tmp_path / "modules"
    name = "plugins"
    schema = modules / name / next(iter(recipes.RECIPES[name].generated))
    schema.parent.mkdir(parents=True)
    monkeypatch.setattr(paths, "MODULES", modules)
    before = recipes.output(name)
    schema.write_text("{}")
    assert recipes.output(name) == before


def configure(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    """The files that containerd and BuildKit are started with."""
    monkeypatch.setattr(runtime, "_cni_bin", lambda: Path("/opt/cni/bin"))
    (root / "config").mkdir()
    (root / "config/containerd.toml").write_text(runtime.containerd(root))
    (root / "config/buildkitd.toml").write_text(runtime.buildkit(root))


def test_a_cluster_that_was_started_before_there_was_a_registry_has_to_be_started_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(monkeypatch, tmp_path)
    registry.trust(tmp_path, "an authority")
    assert capsys.readouterr().out == ""
    before = runtime.buildkit(tmp_path).partition("[registry.")[0]
    (tmp_path / "config/buildkitd.toml").write_text(before)
    registry.trust(tmp_path, "an authority")
    assert "run `make cluster-stop cluster-start` once" in capsys.readouterr().out


@pytest.mark.parametrize(
    "given", [{}, {"hosts": ["10.89.0.2", "registry.test"]}, {"nodePort": 30500}, {"hosts": None}]
)
def test_a_registry_answers_where_the_node_asks(given: dict[str, Any]) -> None:
    registry.check(given)


@pytest.mark.parametrize(
    ("given", "said"),
    [({"nodePort": 30600}, "10.89.0.2:30600"), ({"hosts": ["10.0.0.7"]}, "10.0.0.7:30500")],
)
def test_a_registry_that_the_node_would_not_trust_is_refused_before_it_is_made(
    given: dict[str, Any], said: str
) -> None:
    with pytest.raises(
        Failure, match=f"would answer at {said}, but .* at {registry.ADDRESS} alone"
    ):
        addon_findings.find({"registry": given}, embedded=True, builds=False)
    addon_findings.find({"registry": given}, embedded=False, builds=False)


def test_the_node_trusts_a_registry_without_being_started_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Both that pulls and that pushes are told of a folder; what is in it may change."""
    configure(monkeypatch, tmp_path)
    containerd = tomllib.loads(runtime.containerd(tmp_path))
    pulls = containerd["plugins"]["io.containerd.grpc.v1.cri"]["registry"]["config_path"]
    pushes = tomllib.loads(runtime.buildkit(tmp_path))["registry"][registry.ADDRESS]
    own = Path(pulls, registry.ADDRESS)
    assert pushes["tlsconfigdir"] == [str(own)]
    registry.trust(tmp_path, "an authority")
    assert {it.name: it.read_text() for it in own.iterdir()} == {"ca.crt": "an authority"}
    registry.trust(tmp_path, None)
    assert not own.exists()
    registry.trust(tmp_path, None)


def test_the_distribution_knows_neither_stacks_nor_other_clusters() -> None:
    allowed = {"files", "internet", "missing", "packages", "paths", "ui", "whole_file"}
    used: set[str] = set()
    for file in (ROOT / "distribution").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "toolchain":
                used.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("toolchain."):
                used.add((node.module or "").removeprefix("toolchain."))
    assert used == allowed


def test_a_cluster_may_be_in_a_folder_with_spaces(tmp_path: Path) -> None:
    root = tmp_path / "my own"
    (root / "config").mkdir(parents=True)
    supervisor.write(root, root / "bin", enforce=True)
    programs = configparser.RawConfigParser()
    programs.read(root / "config" / "supervisord.conf")
    words = shlex.split(programs["program:kubelet"]["command"])
    assert words[:2] == [f"{root}/bin/kubelet", f"--config={root}/config/kubelet.yaml"]
    assert programs["program:kubelet"]["stdout_logfile"] == f"{root}/log/kubelet.log"
    words = shlex.split(config._start(root), comments=True)
    assert f"{root}/kubelet" in words
    assert words[-2:] == ["--configuration", f"{root}/config/supervisord.conf"]


class TestTheClustersNetwork:
    @pytest.fixture
    def host(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A machine that makes folders of namespaces and links, and links no more when told so."""
        script = f"""#!/bin/sh
cd {tmp_path}; echo "$*" >> calls
case "$*" in
  'netns add todo') mkdir namespace ;;
  'netns delete todo') rmdir namespace ;;
  'link add todo-host '*) [ ! -e refuses ] && mkdir linked ;;
  'link delete todo-host') rmdir linked ;;
esac
"""
        for name, text in (("ip", script), ("nft", "#!/bin/sh"), ("nsenter", "#!/bin/sh")):
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        (tmp_path / "forward").write_text("0\n")
        places = {"_NETNS": "namespace", "_LINKED": "linked", "_FORWARD": "forward"}
        for name, place in places.items():
            monkeypatch.setattr(network, name, tmp_path / place)
        return tmp_path

    def test_is_made_once_and_goes_again(self, host: Path) -> None:
        for _ in range(2):
            network.up(host / "remembered")
        assert (host / "calls").read_text().count("netns add") == 1
        assert (host / "forward").read_text() == "1\n"
        network.down(host / "remembered")
        assert not (host / "namespace").exists()
        assert not (host / "linked").exists()
        assert (host / "forward").read_text() == "0\n"

    def test_is_no_namespace_of_somebody_elses(self, host: Path) -> None:
        (host / "namespace").mkdir()
        network.down(host / "remembered")
        with pytest.raises(Failure, match="a network namespace todo that is not the cluster's"):
            network.up(host / "remembered")
        assert (host / "namespace").exists()

    def test_leaves_nothing_half_made(self, host: Path) -> None:
        (host / "refuses").touch()
        with pytest.raises(Failure, match="network could not be made"):
            network.up(host / "remembered")
        assert not (host / "namespace").exists()


def test_a_full_disk_leaves_nothing_that_the_next_start_would_take_for_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").mkdir()
    monkeypatch.setattr(kubernetes.ui, "run", lambda *_, **__: None)
    monkeypatch.setattr(kubernetes.ui, "capture", lambda *_: "of a client")
    monkeypatch.setattr(loopback, "up", lambda _: None)
    monkeypatch.setattr(loopback, "down", lambda: None)
    loopback.lead(tmp_path, [30443])

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    steps: list[Callable[[], None]] = [
        lambda: kubernetes.certificates(tmp_path, tmp_path),
        lambda: loopback.lead(tmp_path, [30080, 30443]),
        lambda: registry.trust(tmp_path, "PEM"),
    ]
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        for step in steps:
            with pytest.raises(OSError, match="No space left"):
                step()
    files = {it.name: it.read_text() for it in tmp_path.rglob("*") if it.is_file()}
    assert files == {"loopback.json": "[30443]"}
    kubernetes.certificates(tmp_path, tmp_path)
    files = {it.name: it.read_text() for it in (tmp_path / "config").glob("*.conf")}
    assert files == {"kube-proxy.conf": "of a client", "kube-router.conf": "of a client"}
    assert {it.stat().st_mode & 0o777 for it in (tmp_path / "config").glob("*.conf")} == {0o600}
