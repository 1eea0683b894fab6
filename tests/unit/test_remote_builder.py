"""buildx builders on a BuildKit that is there; the user's stay theirs."""

from pathlib import Path

import pytest

from console.failure import Failure
from toolchain.providers import remote_builder

MINE = '{"Name": "todo-x", "Driver": "remote", "Nodes": [{"Endpoint": "tcp://mine:1234"}]}'


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The user's own folder of builders."""
    monkeypatch.setenv("BUILDX_CONFIG", str(tmp_path))
    (tmp_path / "instances").mkdir()
    return tmp_path / "instances"


def test_comes_and_goes(folder: Path) -> None:
    for _ in range(2):
        remote_builder.write("todo-x", "unix:///x.sock")
    assert "unix:///x.sock" in (folder / "todo-x").read_text()
    remote_builder.remove("todo-x", "unix:///x.sock")
    remote_builder.remove("todo-x", "unix:///x.sock")
    assert not (folder / "todo-x").exists()


@pytest.mark.parametrize("text", [MINE, "not JSON", "[]"])
def test_of_the_users_of_that_name_is_neither_replaced_nor_removed(folder: Path, text: str) -> None:
    (folder / "todo-x").write_text(text)
    with pytest.raises(Failure, match="builder todo-x of your own"):
        remote_builder.write("todo-x", "unix:///x.sock")
    remote_builder.remove("todo-x", "unix:///x.sock")
    assert (folder / "todo-x").read_text() == text
