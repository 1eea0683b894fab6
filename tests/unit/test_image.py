"""Images: content-hash tags, and the ways to build."""

from pathlib import Path
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.image.app_image import AppImage, AppImageArgs, content_hash
from components.todo.settings.images import (
    BuilderSettings,
    LoadedImages,
    PrebuiltImages,
    RegistryImages,
)
from tests.recording import Recording, record


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


def build(images: Any) -> tuple[Recording, str]:
    def program() -> None:
        args = AppImageArgs(
            images=images,
            image_name="backend",
            context=Path("apps/backend"),
            build_args={"PYTHON_IMAGE": "python:3.13"},
        )
        pulumi.export("reference", AppImage("backend-image", args).reference)

    recording = record(program)
    return recording, recording.outputs["reference"]


def test_into_the_cluster_s_image_store(context: Path) -> None:
    builder = BuilderSettings(name="todo", exporter="image-store")
    recording, reference = build(LoadedImages(mode="load", builder=builder))
    inputs = recording.one("Image").inputs
    assert reference == f"localhost/todo/backend:{content_hash(context, inputs['buildArgs'])}"
    assert inputs["builder"] == {"name": "todo"}
    (export,) = inputs["exports"]
    wanted = {"names": [reference], "store": True, "unpack": True, "push": False}
    assert wanted.items() <= export["image"].items()
    assert inputs["push"] is False
    assert inputs["context"] == {"location": "apps/backend"}
    assert inputs["buildArgs"] == {"PYTHON_IMAGE": "python:3.13"}
    assert not inputs["exec"]
    assert inputs["buildOnPreview"] is False


def test_into_a_docker_daemon(context: Path) -> None:
    recording, reference = build(LoadedImages(mode="load"))
    inputs = recording.one("Image").inputs
    assert inputs["exec"] is True
    assert inputs["load"] is True
    assert inputs["push"] is False
    assert inputs["tags"] == [reference]


def test_to_a_registry_by_digest(context: Path) -> None:
    images = RegistryImages(
        mode="registry", repository="registry.example.com/todo", platforms=("linux/arm64",)
    )
    recording, reference = build(images)
    inputs = recording.one("Image").inputs
    assert inputs["push"] is True
    assert inputs["platforms"] == ["linux/arm64"]
    assert inputs["tags"][0].startswith("registry.example.com/todo/backend:")
    assert reference.startswith("registry.example.com/todo/backend@sha256:")


def test_prebuilt(context: Path) -> None:
    recording, reference = build(PrebuiltImages(mode="prebuilt", backend="b:1", frontend="f:1"))
    assert recording.of("Image") == []
    assert reference == "b:1"


def test_classic_docker_into_the_daemon(context: Path) -> None:
    recording, reference = build(
        LoadedImages(mode="load", builder=BuilderSettings(engine="docker"))
    )
    image = recording.one("Image")
    assert image.type.startswith("docker:")
    assert image.inputs["skipPush"] is True
    assert image.inputs["imageName"] == reference


def test_classic_docker_to_a_registry(context: Path) -> None:
    images = RegistryImages(
        mode="registry",
        repository="registry.example.com/todo",
        builder=BuilderSettings(engine="docker"),
    )
    recording, reference = build(images)
    inputs = recording.one("Image").inputs
    assert inputs["skipPush"] is False
    assert inputs["build"]["platform"] == "linux/amd64"
    assert reference.startswith("registry.example.com/todo/backend@sha256:")
