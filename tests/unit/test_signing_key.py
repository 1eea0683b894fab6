"""The key pair that `make signing-key` makes."""

import argparse
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.failure import Failure
from tests.unit.fake_tools import Tools
from toolchain import __main__ as commands
from toolchain import groundwork, machine, paths, python_env, signing_key, tools
from toolchain.stack import Stack

COSIGN = 'printf private > cosign.key; printf "%s" "$COSIGN_PASSWORD" > cosign.pub'


@pytest.fixture
def told(tools: Tools, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """What Pulumi is told, of a machine whose cosign writes its password for the public key."""
    told: dict[str, Any] = {}
    monkeypatch.setattr(paths, "PROJECT", tmp_path)
    monkeypatch.setattr(paths, "BIN", tools.path)
    monkeypatch.setattr(Stack, "set_secret", lambda _, key, value: told.update({key: value}))
    monkeypatch.setattr(Stack, "set_setting", lambda _, key, value: told.update({key: value}))
    file = tmp_path / "Pulumi.minikube.yaml"
    monkeypatch.setattr(Stack, "document", lambda _: yaml.safe_load(file.read_text()))
    (tools.path / "cosign").write_text(f"#!/bin/sh\n{COSIGN}\n")
    (tools.path / "cosign").chmod(0o755)
    return told


def stack(folder: Path, mode: str = "registry", **config: Any) -> Stack:
    settings = {"todo:settings": {"images": {"mode": mode}}, **config}
    (folder / "Pulumi.minikube.yaml").write_text(yaml.safe_dump({"config": settings}))
    return Stack("minikube")


def test_both_halves_and_the_password_are_in_the_stacks_file(
    told: dict[str, Any], tmp_path: Path
) -> None:
    signing_key.make(stack(tmp_path))
    password = told["todo:signingPassword"]
    assert told == {
        "todo:signingPassword": password,
        "todo:signingKey": "private",
        "images.signature.publicKey": password,
    }
    assert len(password) > 32


@pytest.mark.parametrize("written", range(3))
def test_one_that_was_cut_off_is_made_anew(
    told: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    def tell(_: Stack, key: str, value: str) -> None:
        if len(told) == written:
            raise KeyboardInterrupt
        told[key] = value

    with monkeypatch.context() as cut_off:
        cut_off.setattr(Stack, "set_secret", tell)
        cut_off.setattr(Stack, "set_setting", tell)
        with pytest.raises(KeyboardInterrupt):
            signing_key.make(stack(tmp_path))
    config: dict[str, Any] = {k: {"secure": "v1"} for k in told if k.startswith("todo:")}
    signing_key.make(stack(tmp_path, **config))
    assert told["todo:signingPassword"] == told["images.signature.publicKey"]
    assert told["todo:signingKey"] == "private"


@pytest.mark.parametrize(
    ("mode", "config", "said"),
    [
        ("load", {}, "has another images.mode than registry"),
        ("registry", {"todo:signingKey": {"secure": "v1"}}, "has todo:signingKey already"),
    ],
)
def test_it_is_not_made_where_it_would_sign_nothing_or_replace_another(
    told: dict[str, Any], tmp_path: Path, mode: str, config: dict[str, Any], said: str
) -> None:
    with pytest.raises(Failure, match=said):
        signing_key.make(stack(tmp_path, mode, **config))
    assert told == {}


def test_a_cosign_that_fails_is_one_sentence(told: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "path" / "cosign").write_text("#!/bin/sh\necho no entropy >&2; exit 1\n")
    with pytest.raises(Failure, match="failed: no entropy; mend that and run again"):
        signing_key.make(stack(tmp_path))
    assert told == {}


@pytest.mark.parametrize("signature", [None, {"publicKey": "a key"}])
def test_make_up_sees_to_cosign_and_syft_where_the_stack_signs(
    told: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    signature: dict[str, Any] | None,
) -> None:
    def moves(*_: object) -> bool:
        raise Failure("the machine is looked at")

    def ensure_signing() -> None:
        raise Failure("cosign is looked for")

    stack(tmp_path)
    settings = {"images": {"mode": "registry", **({"signature": signature} if signature else {})}}
    monkeypatch.setattr(Stack, "settings", lambda _: settings)
    monkeypatch.setattr(Stack, "check_settings", lambda _: {})
    monkeypatch.setattr(tools, "builds_pulumi", lambda: False)
    monkeypatch.setattr(tools, "ensure_pulumi", lambda: None)
    monkeypatch.setattr(tools, "ensure_signing", ensure_signing)
    monkeypatch.setattr(python_env, "ensure", lambda *_, **__: None)
    monkeypatch.setattr(groundwork, "lay", lambda *_, **__: None)
    monkeypatch.setattr(machine, "chosen", lambda _: "a cluster")
    monkeypatch.setattr(machine, "is_new", lambda *_: False)
    monkeypatch.setattr(machine, "moves", moves)
    with pytest.raises(Failure, match="cosign" if signature else "machine"):
        commands.up(argparse.Namespace(stack="minikube"))
