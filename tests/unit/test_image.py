"""Images: content-hash tags, and the ways to build."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.image import node_stores
from components.image.container_image import ContainerImage, ContainerImageArgs
from components.image.content_hash import content_hash
from components.image.docker_context import Daemon
from components.image.sources import (
    Build,
    BuildKit,
    BuiltAndLoaded,
    BuiltAndPushed,
    DockerEngine,
    ImageSource,
    ImageStoreBuildKit,
    Prebuilt,
)
from components.todo.images import image_source
from components.todo.settings.images import (
    BaseImages,
    BuilderSettings,
    Images,
    LoadedImages,
    PrebuiltImages,
    RegistryImages,
)
from tests.recording import ROOT, Recording, record

PAGE = (ROOT / "docs/components/container-image.md").read_text(encoding="utf-8")


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = Path("apps/backend")
    (folder / "src").mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / ".dockerignore").write_text("# not built from\n**/*.log\nnode_modules\n")
    (folder / "src" / "main.py").write_text("print(1)\n")
    return folder


class TestContentHash:
    def test_is_stable(self, context: Path) -> None:
        assert content_hash(context, {"A": "1", "B": "2"}) == content_hash(
            context, {"B": "2", "A": "1"}
        )

    def test_does_not_depend_on_time(self, context: Path) -> None:
        before = content_hash(context, {})
        (context / "src" / "main.py").touch()
        assert content_hash(context, {}) == before

    @pytest.mark.parametrize("ignored", ["src/a.log", "node_modules/x/index.js"])
    def test_ignores_what_docker_ignores(self, context: Path, ignored: str) -> None:
        before = content_hash(context, {})
        (context / ignored).parent.mkdir(parents=True, exist_ok=True)
        (context / ignored).write_text("noise")
        assert content_hash(context, {}) == before

    @pytest.mark.parametrize("changed", ["Dockerfile", "src/main.py", "src/new.py"])
    def test_sees_changes(self, context: Path, changed: str) -> None:
        before = content_hash(context, {})
        (context / changed).write_text("different")
        assert content_hash(context, {}) != before

    def test_sees_names_modes_and_links(self, context: Path) -> None:
        seen = {content_hash(context, {})}
        main = context / "src" / "main.py"
        main.chmod(0o755)
        seen.add(content_hash(context, {}))
        main = main.rename(context / "src" / "other.py")
        seen.add(content_hash(context, {}))
        (context / "src" / "link.py").symlink_to("other.py")
        seen.add(content_hash(context, {}))
        assert len(seen) == 4

    def test_sees_build_arguments(self, context: Path) -> None:
        assert content_hash(context, {"BASE": "a"}) != content_hash(context, {"BASE": "b"})

    def test_sees_the_stage_that_is_built(self, context: Path) -> None:
        hashes = {content_hash(context, {}, target) for target in (None, "worker", "web")}
        assert len(hashes) == 3

    def test_needs_a_dockerfile(self, tmp_path: Path) -> None:
        with pytest.raises(pulumi.RunError, match="Dockerfile is missing"):
            content_hash(tmp_path, {})

    @given(left=st.dictionaries(st.text(), st.text()), right=st.dictionaries(st.text(), st.text()))
    def test_differs_when_arguments_differ(
        self, tmp_path_factory: pytest.TempPathFactory, left: Any, right: Any
    ) -> None:
        folder = tmp_path_factory.mktemp("context")
        (folder / "Dockerfile").write_text("FROM scratch\n")
        same = content_hash(folder, left) == content_hash(folder, right)
        assert same == (left == right)


def build(source: ImageSource) -> tuple[Recording, str]:
    def program() -> None:
        image = ContainerImage("cart-image", ContainerImageArgs(source=source))
        pulumi.export("reference", image.reference)

    recording = record(program)
    return recording, recording.outputs["reference"]


CART = Build(context=Path("apps/backend"), args={"PYTHON_IMAGE": "python:3.13"})


def test_into_the_image_store_of_a_node(context: Path) -> None:
    builder = ImageStoreBuildKit(name="mine")
    recording, reference = build(
        BuiltAndLoaded(repository="localhost/shop/cart", build=CART, builder=builder)
    )
    inputs = recording.one("Image").inputs
    assert reference == f"localhost/shop/cart:{content_hash(context, inputs['buildArgs'])}"
    assert inputs["builder"] == {"name": "mine"}
    (export,) = inputs["exports"]
    wanted = {"names": [reference], "store": True, "unpack": True, "push": False}
    assert wanted.items() <= export["image"].items()
    assert inputs["push"] is False
    assert inputs["context"] == {"location": "apps/backend"}
    assert inputs["buildArgs"] == {"PYTHON_IMAGE": "python:3.13"}
    assert not inputs["exec"]
    assert inputs["buildOnPreview"] is False


def test_into_a_docker_daemon(context: Path) -> None:
    recording, reference = build(BuiltAndLoaded(repository="localhost/shop/cart", build=CART))
    inputs = recording.one("Image").inputs
    assert inputs["exec"] is True
    assert inputs["load"] is True
    assert inputs["push"] is False
    assert inputs["tags"] == [reference]


def test_to_a_registry_by_digest(context: Path) -> None:
    recording, reference = build(
        BuiltAndPushed(
            repository="registry.example.com/shop/cart", build=CART, platforms=["linux/arm64"]
        )
    )
    inputs = recording.one("Image").inputs
    assert inputs["push"] is True
    assert inputs["platforms"] == ["linux/arm64"]
    assert inputs["tags"][0].startswith("registry.example.com/shop/cart:")
    assert reference.startswith("registry.example.com/shop/cart@sha256:")


def test_prebuilt(context: Path) -> None:
    recording, reference = build(Prebuilt(reference="b:1"))
    assert recording.of("Image") == []
    assert reference == "b:1"


def test_classic_docker_into_the_daemon(context: Path) -> None:
    recording, reference = build(
        BuiltAndLoaded(repository="localhost/shop/cart", build=CART, builder=DockerEngine())
    )
    image = recording.one("Image")
    assert image.type.startswith("docker:")
    assert image.inputs["skipPush"] is True
    assert image.inputs["imageName"] == reference


def test_classic_docker_to_a_registry_in_a_daemon_of_its_own(context: Path) -> None:
    daemon = Daemon(host="tcp://192.168.49.2:2376", certificates="/certificates")
    recording, reference = build(
        BuiltAndPushed(
            repository="registry.example.com/shop/cart",
            build=CART,
            builder=DockerEngine(daemon=daemon),
        )
    )
    image = recording.one("Image")
    (provider,) = [r for r in recording.resources if r.type == "pulumi:providers:docker"]
    assert image.provider.startswith(provider.urn)
    assert provider.inputs["host"] == "tcp://192.168.49.2:2376"
    assert image.inputs["skipPush"] is False
    assert image.inputs["build"]["platform"] == "linux/amd64"
    assert reference.startswith("registry.example.com/shop/cart@sha256:")


@pytest.mark.parametrize("builder", [BuildKit(), DockerEngine()])
def test_one_dockerfile_of_several_stages(context: Path, builder: BuildKit | DockerEngine) -> None:
    worker = Build(context=Path("apps/backend"), target="worker")
    recording, _ = build(
        BuiltAndLoaded(repository="localhost/shop/worker", build=worker, builder=builder)
    )
    inputs = recording.one("Image").inputs
    assert {**inputs, **inputs.get("build", {})}["target"] == "worker"


def test_what_is_built_can_be_reached(context: Path) -> None:
    def program() -> None:
        for source in (
            BuiltAndLoaded(repository="localhost/shop/cart", build=CART),
            BuiltAndPushed(repository="registry.example.com/shop", build=CART),
            Prebuilt(reference="b:1"),
        ):
            name = type(source).__name__
            image = ContainerImage(name, ContainerImageArgs(source=source)).image
            pulumi.export(name, image.urn if image else None)

    outputs = record(program).outputs
    assert outputs["BuiltAndLoaded"].endswith("::BuiltAndLoaded-build")
    assert outputs["BuiltAndPushed"].endswith("::BuiltAndPushed-build")
    assert not outputs.get("Prebuilt")


def test_a_build_without_a_dockerfile_is_one_sentence(context: Path) -> None:
    nowhere = Build(context=Path("apps/nosuch"))
    with pytest.raises(pulumi.RunError, match=r"apps/nosuch/Dockerfile is missing"):
        build(BuiltAndLoaded(repository="localhost/shop/cart", build=nowhere))


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (
            LoadedImages(mode="load"),
            BuiltAndLoaded(
                repository="localhost/todo/backend",
                build=Build(
                    context=Path("apps/backend"),
                    args={"PYTHON_IMAGE": "docker.io/library/python:3.13-slim-trixie"},
                ),
                rebuild_mark="todo-kubernetes/build",
            ),
        ),
        (
            RegistryImages(
                mode="registry",
                repository="registry.example.com/todo",
                platforms=("linux/arm64",),
                base_images=BaseImages(python="python:3"),
                builder=BuilderSettings(name="mine"),
            ),
            BuiltAndPushed(
                repository="registry.example.com/todo/backend",
                build=Build(context=Path("apps/backend"), args={"PYTHON_IMAGE": "python:3"}),
                builder=BuildKit(name="mine"),
                platforms=("linux/arm64",),
            ),
        ),
        (PrebuiltImages(mode="prebuilt", backend="b:1", frontend="f:1"), Prebuilt(reference="b:1")),
    ],
    ids=["load", "registry", "prebuilt"],
)
def test_the_settings_say_where_an_image_comes_from(images: Images, expected: object) -> None:
    source = image_source(
        images, "backend", context=Path("apps/backend"), bases={"PYTHON_IMAGE": "python"}
    )
    assert source == expected


def test_the_settings_say_what_builds() -> None:
    def builder_of(**builder: str) -> object:
        settings = BuilderSettings.model_validate(builder)
        images = LoadedImages(mode="load", builder=settings)
        source = image_source(images, "frontend", context=Path("apps/frontend"), bases={})
        assert isinstance(source, BuiltAndLoaded)
        return source.builder

    assert builder_of() == BuildKit()
    assert builder_of(exporter="archive", name="default") == BuildKit(name="default")
    assert builder_of(exporter="image-store", name="x") == ImageStoreBuildKit(name="x")
    assert builder_of(engine="docker") == DockerEngine()


def test_its_page_names_every_argument_once_and_in_order(context: Path) -> None:
    for source in (BuiltAndLoaded, BuiltAndPushed, Prebuilt):
        table = PAGE.split(f"### {source.__name__}\n")[1].split("##")[0]
        assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [
            it.name for it in dataclasses.fields(source)
        ]


def test_the_examples_of_its_page_build(context: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("cart").mkdir()
    Path("cart", "Dockerfile").write_text("FROM scratch\n")
    monkeypatch.setattr(node_stores, "answer_of", lambda _: None)

    def program() -> None:
        for example in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
            exec(example.replace("kubernetes_app_components", "components"), {})  # noqa: S102

    images = record(program).of("Image")
    pushed = {it.name: it.inputs["push"] for it in images}
    assert pushed == {"cart-image-build": True, "local-cart-image-build": False}
