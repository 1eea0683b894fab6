"""What a stack's file and its passphrase keep when the stack is made, forgotten or cut off."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from console.failure import Failure
from tests.unit.clone import LOCAL, MANAGED, SALT, Clone, deployed, thing
from toolchain import paths, stack_file, state
from toolchain.project import ADDONS
from toolchain.stack import Stack


def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets no file be made or written, as on a disk that is full."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for name in ("fsync", "fdopen"):
        monkeypatch.setattr(os, name, refuse)
    truncating = Path.write_text

    def write(self: Path, *_: object, **__: object) -> int:
        truncating(self, "")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", write)


SECRETS = """\
  # of the application
  todo:databasePassword:
    secure: v1:YQ==:Yg==
  todo:jwtKey: {secure: "v1:YQ==:Yg=="}
  todo:jwtNextKey:
    secure: v1:YQ==:Yg==
"""


class TestForgetting:
    def test_leaves_a_file_that_a_new_passphrase_can_be_used_with(self, cloud: Clone) -> None:
        cloud.stack("cloud", MANAGED, SECRETS)
        assert cloud.run("down", "cloud").code == 0
        text = (cloud.folder / "Pulumi.cloud.yaml").read_text()
        assert text == f"# mine\nconfig:\n  todo:settings:\n{MANAGED}  # of the application\n"

    def test_keeps_a_persons_own_secret_and_says_what_opens_it(self, cloud: Clone) -> None:
        own = "  todo:chatApiKey:\n    secure: v1:YQ==:Yg==\n"
        cloud.stack("cloud", MANAGED, own + SECRETS)
        done = cloud.run("down", "cloud")
        assert done.code == 0
        text = (cloud.folder / "Pulumi.cloud.yaml").read_text()
        assert own in text
        assert SALT in text
        assert "databasePassword" not in text
        assert (
            "todo:chatApiKey stays encrypted in Pulumi.cloud.yaml: keep the passphrase" in done.out
        )

    def test_keeps_the_key_of_backups_that_outlive_the_stack(self, cloud: Clone) -> None:
        key = "  todo:backupKey:\n    secure: v1:YQ==:Yg==\n"
        cloud.stack("cloud", MANAGED, key + SECRETS)
        done = cloud.run("down", "cloud")
        assert done.code == 0
        text = (cloud.folder / "Pulumi.cloud.yaml").read_text()
        assert key in text
        assert SALT in text
        assert "jwtKey" not in text
        assert "todo:backupKey stays encrypted in Pulumi.cloud.yaml" in done.out

    def test_keeps_the_file_where_the_disk_is_full(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "Pulumi.cloud.yaml"
        text = f"config:\n  todo:chatApiKey:\n    secure: v1:YQ==:Yg==\n{SECRETS}"
        file.write_text(text)
        full_disk(monkeypatch)
        with pytest.raises(OSError, match="No space left"):
            stack_file.main(str(file), "todo:databasePassword")
        assert file.read_text() == text
        assert [it.name for it in tmp_path.iterdir()] == [file.name]

    def test_keeps_the_ends_of_lines_and_who_may_read_the_file(self, tmp_path: Path) -> None:
        file, link = tmp_path / "Pulumi.cloud.yaml", tmp_path / "link"
        file.write_bytes(f"config:\n  a: 1\n{SECRETS}".replace("\n", "\r\n").encode())
        file.chmod(0o640)
        link.symlink_to(file)
        stack_file.main(str(link), "todo:databasePassword", "todo:jwtKey", "todo:jwtNextKey")
        assert file.read_bytes() == b"config:\r\n  a: 1\r\n  # of the application\r\n"
        assert file.stat().st_mode & 0o777 == 0o640
        assert link.is_symlink()

    @pytest.mark.parametrize("text", ["", "config: {}\n", "{config: {}, encryptionsalt: x}\n"])
    def test_leaves_a_file_of_another_shape_alone(self, text: str) -> None:
        assert stack_file.forget(text, ["todo:jwtKey"]) == (text, [])


@pytest.fixture
def prepared(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[..., str]], Stack]:
    """A stack in that clone, with `pulumi` answering as it is told."""
    monkeypatch.setattr(paths, "PROJECT", clone.folder)
    monkeypatch.setattr(paths, "VENV", clone.folder / ".venv")
    monkeypatch.setattr(paths, "PULUMI_STATE", clone.folder / ".local" / "pulumi")
    monkeypatch.setattr(paths, "PASSPHRASE_FILE", clone.folder / ".local" / "passphrase")
    for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    clone.stack("minikube", LOCAL, SECRETS)

    def make(answer: Callable[..., str]) -> Stack:
        monkeypatch.setattr(Stack, "_pulumi", lambda _, *arguments, **__: answer(*arguments))
        return Stack("minikube")

    return make


class TestPassphrase:
    def test_that_is_gone_is_not_replaced(
        self, prepared: Callable[[Callable[..., str]], Stack], clone: Clone
    ) -> None:
        before = (clone.folder / "Pulumi.minikube.yaml").read_text()
        stack = prepared(lambda *_: '{"deployment": {}}')
        with pytest.raises(Failure, match=r"passphrase.*restore.*nothing was changed") as raised:
            stack.prepare(stack.state())
        for line in ("encryptionsalt", "todo:databasePassword", "todo:jwtKey"):
            assert line in str(raised.value)
        assert not paths.PASSPHRASE_FILE.exists()
        assert (clone.folder / "Pulumi.minikube.yaml").read_text() == before

    @pytest.mark.parametrize("left", [None, "", "\n"])
    def test_is_never_an_empty_one(
        self,
        prepared: Callable[[Callable[..., str]], Stack],
        clone: Clone,
        monkeypatch: pytest.MonkeyPatch,
        left: str | None,
    ) -> None:
        (clone.folder / "Pulumi.minikube.yaml").write_text(f"config:\n  todo:settings:\n{LOCAL}")
        paths.PASSPHRASE_FILE.parent.mkdir(parents=True)
        if left is not None:
            paths.PASSPHRASE_FILE.write_text(left)
        stack = prepared(lambda *_: "{}")
        with monkeypatch.context() as disk:
            full_disk(disk)
            with pytest.raises(OSError, match="No space left"):
                stack.prepare(None)
        assert not paths.PASSPHRASE_FILE.exists()
        stack.prepare(None)
        assert len(paths.PASSPHRASE_FILE.read_text()) > 32
        assert paths.PASSPHRASE_FILE.stat().st_mode & 0o777 == 0o600
        assert {it.name for it in paths.PASSPHRASE_FILE.parent.iterdir()} == {
            "passphrase",
            "pulumi",
        }

    def test_of_a_deployed_stack_is_asked_for_alone(
        self, prepared: Callable[[Callable[..., str]], Stack]
    ) -> None:
        state = deployed(thing("Namespace", "shop"), context="x")
        stack = prepared(lambda *_: json.dumps({"deployment": {"resources": state}}))
        with pytest.raises(Failure) as raised:
            stack.prepare(stack.state())
        assert "delete" not in str(raised.value)

    @pytest.mark.parametrize("files", [None, {"plaintext": None}, {"plaintext": "null"}])
    def test_that_is_wrong_makes_no_new_password(
        self, prepared: Callable[[Callable[..., str]], Stack], clone: Clone, files: object
    ) -> None:
        clone.stack("minikube", LOCAL)
        paths.PASSPHRASE_FILE.parent.mkdir(parents=True)
        paths.PASSPHRASE_FILE.write_text("another")
        calls: list[tuple[str, ...]] = []
        secret = {
            "urn": "urn:x::backend-secrets",
            "type": "kubernetes:core/v1:Secret",
            "custom": True,
            "inputs": {"data": files},
        }

        def answer(*arguments: str) -> str:
            calls.append(arguments)
            return json.dumps({"deployment": {"resources": [secret]}})

        stack = prepared(answer)
        with pytest.raises(Failure, match="passphrase does not open stack minikube"):
            stack.prepare(stack.state())
        assert not any(call[:2] == ("config", "set") for call in calls)

    def test_a_salt_that_the_file_lost_is_taken_from_the_state(
        self, prepared: Callable[[Callable[..., str]], Stack], clone: Clone
    ) -> None:
        file = clone.folder / "Pulumi.minikube.yaml"
        file.write_text(f"config:\n  todo:settings:\n{LOCAL}")
        paths.PASSPHRASE_FILE.parent.mkdir(parents=True)
        paths.PASSPHRASE_FILE.write_text("ours")
        provider = {"type": "passphrase", "state": {"salt": SALT}}
        stack = prepared(lambda *_: json.dumps({"deployment": {"secrets_providers": provider}}))
        stack.prepare(stack.state())
        assert stack.document()["encryptionsalt"] == SALT


class TestSecretsOfTheAddons:
    @pytest.fixture
    def calls(self, prepared: Callable[..., Stack], clone: Clone) -> list[tuple[str, ...]]:
        del prepared  # for its paths
        clone.stack("minikube", "    cluster: {kind: local}\n    registry: {}\n", of="addons")
        paths.PASSPHRASE_FILE.parent.mkdir(parents=True)
        paths.PASSPHRASE_FILE.write_text("ours")
        return []

    def prepare(
        self, calls: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, *deployed: str
    ) -> None:
        resources = [
            {"urn": f"urn:x::{it}", "type": "kubernetes:core/v1:ConfigMap", "custom": True}
            for it in deployed
        ]
        state = {"deployment": {"resources": resources}}

        def answer(_: Stack, *arguments: str, **__: object) -> str:
            calls.append(arguments)
            return json.dumps(state)

        monkeypatch.setattr(Stack, "_pulumi", answer)
        Stack("minikube", ADDONS).prepare(state)

    def test_that_a_file_lost_are_not_made_anew_while_they_are_in_use(
        self, calls: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(Failure, match=r"lost todo-addons:registryPassword.*put the file back"):
            self.prepare(calls, monkeypatch, "registry-secrets")
        assert not any(call[:2] == ("config", "set") for call in calls)

    def test_are_made_for_a_part_that_is_new(
        self, calls: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.prepare(calls, monkeypatch, "metrics-server-namespace")
        assert any("todo-addons:registryPassword" in call for call in calls)


def test_a_lock_that_says_nothing_is_left_alone(
    prepared: Callable[[Callable[..., str]], Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    monkeypatch.setenv("PULUMI_HOME", str(paths.PULUMI_STATE))
    folder = paths.PULUMI_STATE / ".pulumi" / "locks" / "organization" / "todo" / "minikube"
    folder.mkdir(parents=True)
    unreadable, foreign, dead = (folder / f"{name}.json" for name in ("a", "b", "c"))
    unreadable.write_text("")
    foreign.write_text(json.dumps({"hostname": "elsewhere", "pid": 1}))
    dead.write_text(json.dumps({"hostname": os.uname().nodename, "pid": 2**30}))
    prepared(lambda *_: "")._release_stale_lock()  # pyright: ignore[reportPrivateUsage]
    assert [it.name for it in sorted(folder.iterdir())] == ["a.json", "b.json"]


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
