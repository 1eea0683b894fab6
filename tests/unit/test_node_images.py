"""Images that no registry has: an image that a node lost comes back by `pulumi up` alone."""

import json
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.image.container_image import ContainerImage, ContainerImageArgs
from components.todo.images import image_source
from components.todo.node_images import node_images
from components.todo.settings.images import BuilderSettings, LoadedImages
from components.todo.settings.settings import ClusterSettings
from tests.recording import Recorded, Recording, record

IMAGE = "localhost/todo/backend"
KIND = "io.x-k8s.kind.cluster=dev"
MACHINES = "name.minikube.sigs.k8s.io"


@dataclass
class Machine:
    """This machine, with stand-ins for Docker and the clusters' tools."""

    folder: Path

    def has(self, **cluster: Any) -> None:
        (self.folder / "cluster.json").write_text(
            json.dumps({"nodes": {}, "daemon": [], **cluster})
        )

    @property
    def calls(self) -> list[str]:
        file = self.folder / "calls"
        calls = file.read_text().splitlines() if file.exists() else []
        return [call.replace(_folder_of(call), "") for call in calls]


def _folder_of(call: str) -> str:
    """The folder of an archive, which is another one each time."""
    return next((f"{Path(it).parent}/" for it in call.split() if it.endswith(".tar")), "\0")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    stand_in = Path(__file__).with_name("fake_nodes.py")
    for name in ("docker", "kind", "k3d", "minikube", "ctr"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        command = shlex.join([sys.executable, "-S", str(stand_in), name])
        program.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("FAKE_NODES", str(tmp_path))
    for name in ("CONTAINERD_ADDRESS", "DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    context = tmp_path / "apps" / "backend"
    context.mkdir(parents=True)
    (context / "Dockerfile").write_text("FROM scratch\n")
    monkeypatch.chdir(tmp_path)
    return Machine(tmp_path)


def run(
    provider: str,
    builder: dict[str, str],
    *,
    name: str | None = None,
    apps: tuple[str, ...] = ("backend",),
    preview: bool = False,
) -> Recording:
    """Builds images for a cluster's nodes."""

    def program() -> None:
        cluster = ClusterSettings.model_validate(
            {"kind": "local", "provider": provider, "name": name}
        )
        images = LoadedImages(mode="load", builder=BuilderSettings.model_validate(builder))
        nodes = node_images(cluster, images)
        for app in apps:
            source = image_source(images, app, context=Path("apps/backend"), bases={}, nodes=nodes)
            image = ContainerImage(f"{app}-image", ContainerImageArgs(source=source))
            pulumi.export(app, image.reference)

    return record(program, dry_run=preview)


def tag() -> str:
    """The reference that the sources give."""
    return run("auto", {"exporter": "image-store"}).outputs["backend"]


def asks_for_a_build(image: Recorded) -> bool:
    """Whether an input has changed that keeps its value otherwise."""
    assert bool(image.inputs.get("labels")) != ("labels" in image.ignore_changes)
    return bool(image.inputs.get("labels"))


def kind_nodes(**images: list[str] | None) -> dict[str, Any]:
    nodes: dict[str, Any] = {
        name: {"labels": [KIND], "role": "worker", "images": it} for name, it in images.items()
    }
    nodes["dev-external-load-balancer"] = {
        "labels": [KIND],
        "role": "external-load-balancer",
        "images": [],
    }
    nodes["another"] = {"labels": ["io.x-k8s.kind.cluster=b"], "role": "worker", "images": []}
    return nodes


ARCHIVE = {"exporter": "archive", "name": "default"}
ASKED_KIND = [
    "docker --context default ps --filter label=io.x-k8s.kind.cluster=dev "
    '--format {{.Names}} {{.Label "io.x-k8s.kind.role"}}'
]


def asked(*nodes: str) -> set[str]:
    return {f"docker --context default exec {it} crictl images --output json" for it in nodes}


def test_an_image_that_all_nodes_have_changes_nothing_and_nothing_is_loaded(
    machine: Machine,
) -> None:
    image = tag()
    machine.has(nodes=kind_nodes(a=["x", image], b=[image], c=[image]))
    recording = run("kind", ARCHIVE, name="dev")
    assert not asks_for_a_build(recording.one("Image"))
    assert recording.outputs["backend"] == image
    assert machine.calls[:1] == ASKED_KIND
    assert {*machine.calls[1:]} == asked("a", "b", "c")


def test_an_image_that_one_of_three_nodes_lost_is_built_and_loaded_again(machine: Machine) -> None:
    image = tag()
    machine.has(nodes=kind_nodes(a=[image], b=["x"], c=[image]))
    recording = run("kind", ARCHIVE, name="dev")
    assert asks_for_a_build(recording.one("Image"))
    assert recording.outputs["backend"] == image
    assert {*machine.calls[1:4]} == asked("a", "b", "c")
    assert machine.calls[4:6] == [
        f"docker --context default image save {image}",
        "kind load image-archive todo-backend.tar --name dev [default]",
    ]
    assert machine.calls[6:7] == ASKED_KIND
    assert not asks_for_a_build(run("kind", ARCHIVE, name="dev").one("Image"))


def test_each_loss_changes_the_image_anew(machine: Machine) -> None:
    labels: list[Any] = []
    for _ in range(2):
        machine.has(nodes=kind_nodes(a=[]))
        labels.append(run("kind", ARCHIVE, name="dev").one("Image").inputs["labels"])
    assert labels[0].keys() == labels[1].keys()
    assert labels[0] != labels[1]


def test_a_preview_says_that_an_image_is_built_again_and_loads_nothing(machine: Machine) -> None:
    machine.has(nodes=kind_nodes(a=[]))
    recording = run("kind", ARCHIVE, name="dev", preview=True)
    assert asks_for_a_build(recording.one("Image"))
    assert recording.outputs["backend"].startswith(IMAGE)
    assert {*machine.calls} == {*ASKED_KIND, *asked("a")}


@pytest.mark.parametrize(
    "silent",
    [
        {"nodes": {}},
        {"nodes": kind_nodes(a=[], b=None)},
        {"nodes": kind_nodes(a=[]), "broken": ["docker"]},
    ],
    ids=["no node", "a node that does not answer", "no Docker"],
)
def test_nodes_that_do_not_answer_force_nothing(machine: Machine, silent: dict[str, Any]) -> None:
    machine.has(**silent)
    recording = run("kind", ARCHIVE, name="dev")
    assert not asks_for_a_build(recording.one("Image"))
    assert not any("save" in call or "load" in call.split()[1:2] for call in machine.calls)


def test_nodes_that_do_not_answer_are_said_where_images_would_be_loaded_into_them(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    warned: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warned.append)
    machine.has()
    run("kind", ARCHIVE, name="dev", preview=True)
    run("minikube", {"exporter": "docker", "name": "nosuch"})
    assert warned == []
    run("kind", ARCHIVE, name="dev", apps=("backend", "frontend"))
    (sentence,) = warned
    assert "the nodes of kind cluster dev do not say which images they have" in sentence


def test_nodes_are_asked_once_for_all_images(machine: Machine) -> None:
    machine.has(daemon=[])
    run("minikube", {"exporter": "docker"}, apps=("backend", "frontend"))
    assert machine.calls == ["docker image ls --format {{.Repository}}:{{.Tag}}"]


def test_several_images_are_loaded_one_after_the_other(machine: Machine) -> None:
    machine.has(nodes=kind_nodes(a=[]))
    run("kind", ARCHIVE, name="dev", apps=("backend", "frontend", "another"))
    loaded = [call.split()[3] for call in machine.calls if call.startswith("kind load")]
    assert sorted(loaded) == ["todo-another.tar", "todo-backend.tar", "todo-frontend.tar"]


@pytest.mark.parametrize("silent", [None, "kind"])
def test_what_cannot_be_loaded_is_one_sentence(machine: Machine, silent: str | None) -> None:
    machine.has(nodes=kind_nodes(a=[]), broken=["kind"])
    if silent:
        (machine.folder / "bin" / silent).unlink()
    with pytest.raises(pulumi.RunError) as failure:
        run("kind", ARCHIVE, name="dev")
    sentence = str(failure.value)
    assert "\n" not in sentence
    assert sentence.startswith(f"{IMAGE}:")
    assert "is not on every node of kind cluster dev: " in sentence
    assert ("the command kind is not found" if silent else "failed: kind: it is broken") in sentence
    assert sentence.endswith("then run pulumi up again")


def test_a_tool_that_ends_well_but_has_not_loaded_it_everywhere_is_not_believed(
    machine: Machine,
) -> None:
    nodes = kind_nodes(a=[], b=[])
    nodes["b"]["refuses"] = True
    machine.has(nodes=nodes)
    with pytest.raises(pulumi.RunError, match="was loaded into kind cluster dev, but not every"):
        run("kind", ARCHIVE, name="dev")
    (machine.folder / "bin" / "kind").write_text('#!/bin/sh\nrm "$(dirname "$0")/docker"\n')
    machine.has(nodes=kind_nodes(a=[]))
    with pytest.raises(pulumi.RunError, match="was loaded into kind cluster dev, but not every"):
        run("kind", ARCHIVE, name="dev")


WAYS: list[tuple[str, dict[str, str], str | None, dict[str, Any], list[str], list[str]]] = [
    (
        "k3d",
        {"exporter": "archive"},
        None,
        {
            "nodes": {
                "k3d-todo-server-0": {"labels": ["k3d.cluster=todo"], "role": "server"},
                "k3d-todo-agent-0": {"labels": ["k3d.cluster=todo"], "role": "agent"},
                "k3d-todo-serverlb": {"labels": ["k3d.cluster=todo"], "role": "loadbalancer"},
                "k3d-todo-tools": {"labels": ["k3d.cluster=todo"], "role": "noRole"},
            }
        },
        [
            'docker ps --filter label=k3d.cluster=todo --format {{.Names}} {{.Label "k3d.role"}}',
            "docker exec k3d-todo-agent-0 crictl images --output json",
            "docker exec k3d-todo-server-0 crictl images --output json",
        ],
        [
            "docker image save IMAGE",
            "k3d image import todo-backend.tar --cluster todo --mode=direct",
        ],
    ),
    (
        "minikube",
        {"exporter": "archive", "name": "colima"},
        None,
        {
            "nodes": {
                name: {"labels": [MACHINES], "role": ""}
                for name in ("minikube", "minikube-m02", "minikube-two", "other", "xminikube")
            }
        },
        [
            f"docker --context colima ps --filter label={MACHINES} --format {{{{.Names}}}}",
            "docker --context colima exec minikube crictl images --output json",
            "docker --context colima exec minikube-m02 crictl images --output json",
        ],
        [
            "docker --context colima image save IMAGE",
            "minikube image load todo-backend.tar --profile minikube [colima]",
        ],
    ),
    (
        "minikube",
        {"exporter": "archive"},
        "dev",
        {"machines": {"dev": {}, "dev-m02": {}}},
        [
            f"docker ps --filter label={MACHINES} --format {{{{.Names}}}}",
            "minikube node list --profile dev",
            "minikube ssh --profile dev --node dev -- sudo crictl images --output json",
            "minikube ssh --profile dev --node dev-m02 -- sudo crictl images --output json",
        ],
        ["docker image save IMAGE", "minikube image load todo-backend.tar --profile dev"],
    ),
    (
        "minikube",
        {"exporter": "image-store", "name": "a-builder"},
        "dev",
        {"nodes": {"dev": {"labels": [MACHINES], "role": ""}}},
        [
            f"docker ps --filter label={MACHINES} --format {{{{.Names}}}}",
            "docker exec dev crictl images --output json",
        ],
        [],
    ),
    (
        "minikube",
        {"exporter": "docker", "name": "todo-dev"},
        "dev",
        {},
        ["docker --context todo-dev image ls --format {{.Repository}}:{{.Tag}}"],
        [],
    ),
    (
        "dockerDesktop",
        {"exporter": "docker", "name": "desktop-linux"},
        None,
        {},
        ["docker --context desktop-linux image ls --format {{.Repository}}:{{.Tag}}"],
        [],
    ),
    (
        "embedded",
        {"exporter": "image-store", "name": "todo-embedded"},
        None,
        {"store": []},
        ["ctr --namespace k8s.io images ls -q"],
        [],
    ),
]


@pytest.mark.parametrize(
    ("provider", "builder", "name", "cluster", "asking", "loading"),
    WAYS,
    ids=[f"{way[0]} {way[1]['exporter']} {way[2] or ''}" for way in WAYS],
)
def test_each_kind_of_node_is_asked_and_loaded_in_its_own_way(
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    provider: str,
    builder: dict[str, str],
    name: str | None,
    cluster: dict[str, Any],
    asking: list[str],
    loading: list[str],
) -> None:
    monkeypatch.setenv("CONTAINERD_ADDRESS", "/run/todo-cluster/containerd.sock")
    image = tag()

    def having(images: list[str]) -> dict[str, Any]:
        nodes = {
            kind: {it: {**node, "images": [*images]} for it, node in cluster[kind].items()}
            for kind in ("nodes", "machines")
            if kind in cluster
        }
        return {**cluster, **nodes, "daemon": images, "store": images}

    machine.has(**having([image]))
    assert not asks_for_a_build(run(provider, builder, name=name).one("Image"))
    # Several nodes are asked at the same time.
    assert sorted(machine.calls) == sorted(asking)
    machine.has(**having(["x"]))
    before = len(machine.calls)
    assert asks_for_a_build(run(provider, builder, name=name).one("Image"))
    again = machine.calls[before:]
    assert sorted(again[: len(asking)]) == sorted(asking)
    expected = [it.replace("IMAGE", image) for it in loading]
    assert again[len(asking) : len(asking) + len(loading)] == expected
    assert sorted(again[len(asking) + len(loading) :]) == sorted(asking if loading else [])


@pytest.mark.parametrize(
    ("provider", "builder"),
    [
        ("auto", {"exporter": "image-store"}),
        ("context", {"exporter": "image-store", "name": "mine"}),
        # Without `make env` any containerd could be meant.
        ("embedded", {"exporter": "image-store", "name": "todo-embedded"}),
    ],
)
def test_where_nobody_knows_the_nodes_nobody_is_asked(
    machine: Machine, provider: str, builder: dict[str, str]
) -> None:
    machine.has(store=[])
    assert not asks_for_a_build(run(provider, builder).one("Image"))
    assert machine.calls == []


def test_a_tool_uses_the_docker_context_of_the_builder_whatever_docker_host_says(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere:2375")
    print_host = '#!/bin/sh\necho "host ${DOCKER_HOST-none}" >> "$FAKE_NODES/hosts"\n'
    for context in ("colima", "default"):
        machine.has(nodes=kind_nodes(a=[]))
        (machine.folder / "bin" / "kind").write_text(print_host)
        with pytest.raises(pulumi.RunError, match="not every node has it"):
            run("kind", {"exporter": "archive", "name": context}, name="dev")
    # The context `default` is what DOCKER_HOST says.
    hosts = (machine.folder / "hosts").read_text().splitlines()
    assert hosts == ["host none", "host tcp://elsewhere:2375"]


class TestClassicEngine:
    """`engine: docker`, in the same ways."""

    def test_an_image_that_a_daemon_lost_is_built_again(self, machine: Machine) -> None:
        image = tag()
        builder = {"engine": "docker", "exporter": "docker"}
        machine.has(daemon=[image])
        kept = run("minikube", builder).one("Image")
        assert kept.inputs["build"]["args"] == {}
        assert kept.ignore_changes == ("build.args.TODO_KUBERNETES_BUILD",)
        machine.has(daemon=[])
        lost = run("minikube", builder).one("Image")
        assert lost.inputs["build"]["args"].keys() == {"TODO_KUBERNETES_BUILD"}
        assert lost.ignore_changes == ()
        assert kept.inputs["imageName"] == lost.inputs["imageName"] == image

    def test_builds_in_the_daemon_of_a_named_context(self, machine: Machine) -> None:
        files = {
            "Endpoints": {"docker": {"Host": "tcp://192.168.49.2:2376", "SkipTLSVerify": False}},
            "TLSMaterial": {"docker": ["ca.pem", "cert.pem", "key.pem"]},
            "Storage": {"TLSPath": "/h/.docker/contexts/tls/1a"},
        }
        plain = {
            "Endpoints": {"docker": {"Host": "unix:///var/run/docker.sock"}},
            "TLSMaterial": {},
            "Storage": {"TLSPath": "<IN MEMORY>"},
        }
        machine.has(contexts={"todo-dev": [files], "default": [plain]})
        found: dict[str, Any] = {}
        for context in ("todo-dev", "default"):
            recording = run("minikube", {"engine": "docker", "name": context})
            (provider,) = [r for r in recording.resources if r.type == "pulumi:providers:docker"]
            assert recording.one("Image").provider.startswith(provider.urn)
            found[context] = provider.inputs
        assert found["todo-dev"]["host"] == "tcp://192.168.49.2:2376"
        assert found["todo-dev"]["certPath"] == "/h/.docker/contexts/tls/1a/docker"
        assert found["default"]["host"] == "unix:///var/run/docker.sock"
        assert "certPath" not in found["default"]

    def test_a_context_that_is_not_there_is_one_sentence(self, machine: Machine) -> None:
        machine.has(contexts={})
        with pytest.raises(pulumi.RunError) as failure:
            run("minikube", {"engine": "docker", "name": "nosuch"})
        assert str(failure.value) == (
            "todo:settings.images.builder.name is 'nosuch': expected a Docker context of "
            "`docker context ls` with engine docker"
        )

    def test_an_archive_is_loaded_into_the_nodes(self, machine: Machine) -> None:
        machine.has(nodes=kind_nodes(a=[]))
        run("kind", {"engine": "docker", "exporter": "archive"}, name="dev")
        assert "kind load image-archive todo-backend.tar --name dev" in machine.calls
