"""The prompt of psql: which cluster's, and how it ends."""

import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer

from ops import database
from ops.commands.shell_db import shell_db
from ops.context import Target
from tests.ops import stacks

KUBECTL = """\
#!/bin/sh
ls -l "$KUBECONFIG" | cut -c1-10
cat "$KUBECONFIG"
printf '%s' "$KUBECONFIG" > "$0.asked"
exit 3
"""


@pytest.mark.parametrize("kubeconfig", ['{"kind": "Config"}', "kind: Config\ncontexts: []"])
def test_a_kubeconfig_that_is_given_as_contents_is_the_users_alone_and_does_not_stay(
    kubeconfig: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(KUBECTL)
    kubectl.chmod(kubectl.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(database, "require_ready", lambda *_: None)
    to = Target(Path(), None)
    cluster = SimpleNamespace(kubeconfig=kubeconfig, namespace="todo-app", context="x")
    to.__dict__ |= {"stack": stacks.deployed(), "cluster": cluster}
    context: Any = SimpleNamespace(obj=to)
    with pytest.raises(typer.Exit) as end:
        shell_db(context)
    assert end.value.exit_code == 3
    assert capfd.readouterr().out == f"-rw-------\n{kubeconfig}"
    assert not Path(kubectl.with_name("kubectl.asked").read_text()).exists()


def test_a_kubeconfig_below_the_home_folder_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(KUBECTL)
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(database, "require_ready", lambda *_: None)
    asked: dict[str, str] = {}

    def execute(_: str, __: list[str], environment: dict[str, str]) -> None:
        asked.update(environment)

    monkeypatch.setattr("ops.commands.shell_db.os.execve", execute)
    to = Target(Path(), None)
    cluster = SimpleNamespace(kubeconfig="~/.kube/shop", namespace="todo-app", context="x")
    to.__dict__ |= {"stack": stacks.deployed(), "cluster": cluster}
    shell_db(cast("typer.Context", SimpleNamespace(obj=to)))
    assert asked["KUBECONFIG"] == f"{tmp_path}/.kube/shop"
