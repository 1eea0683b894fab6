"""What nodes answer when they are asked for their images: recorded from the tools themselves."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from components.image import local_commands, node_stores
from components.image.node_stores import in_containers, in_minikube, kind_nodes
from tests.unit.fake_tools import RECORDED, recorded

BUSYBOX = "localhost/busybox:1"


class Answers:
    """Answers commands by their ends, the first that fits."""

    def __init__(self, **answers: str | None) -> None:
        self.answers = {end.replace("_", " "): file for end, file in answers.items()}

    def __call__(self, command: Sequence[str]) -> str | None:
        words = " ".join(command)
        file = next(file for part, file in self.answers.items() if part in words)
        return None if file is None else recorded(file)


def test_kind_s_nodes_say_what_they_have(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Answers(docker_ps="kind/0.33-docker-ps-roles.txt", exec="kind/0.33-crictl-images.txt")
    monkeypatch.setattr(node_stores, "answer_of", found)
    images = in_containers(kind_nodes("todo3"), None)
    assert images is not None
    assert BUSYBOX in images
    # Digests are no tags.
    assert not any("@" in it for it in images)


def test_minikube_s_nodes_say_what_they_have(monkeypatch: pytest.MonkeyPatch) -> None:
    containerd = "minikube/1.38.1-crictl-images-containerd.txt"
    docker = "minikube/1.38.1-crictl-images-docker.txt"
    machines = Answers(
        docker_ps=None, node_list="minikube/1.38.1-node-list-two-nodes.txt", ssh=containerd
    )
    monkeypatch.setattr(node_stores, "answer_of", machines)
    images = in_minikube("mk2", None)
    assert images is not None
    assert BUSYBOX in images
    machines.answers = {"mk2-m02": docker, **machines.answers}
    assert in_minikube("mk2", None) == {"gcr.io/k8s-minikube/storage-provisioner:v5"}


def test_a_profile_that_is_not_there_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = RECORDED / "minikube" / "1.38.1-node-list-no-profile-exit-85.txt"
    minikube = tmp_path / "minikube"
    minikube.write_text(f"#!/bin/sh\ncat {answer}\nexit 85\n")
    minikube.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(node_stores, "docker", lambda *_: ["false"])
    assert in_minikube("mkd", None) is None


@pytest.mark.parametrize("answer", ["", "null", "[]", "{}", '{"images": [1]}'])
def test_an_answer_that_nobody_understands_is_none(
    answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_stores, "answer_of", lambda it: "a worker" if "ps" in it else answer)
    assert in_containers(kind_nodes("todo"), None) is None


def test_a_tool_s_reason_is_its_last_words(tmp_path: Path) -> None:
    kind = tmp_path / "kind"
    kind.write_text(
        "#!/bin/sh\n"
        'echo "ERROR: failed to detect containerd snapshotter: command \\"docker exec\\"" >&2\n'
        "echo >&2\n"
        'echo "Command Output: Error response from daemon: Container 1a is not running" >&2\n'
        "exit 1\n"
    )
    kind.chmod(0o755)
    with pytest.raises(local_commands.pulumi.RunError) as failure:
        local_commands.work([str(kind), "load"])
    expected = f"`{kind} load` failed: Error response from daemon: Container 1a is not running"
    assert str(failure.value) == expected
