"""What a run does to a person's machine and cluster: nothing that outlives it or is not its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench import commands, namespaces
from bench.cluster import only_cluster
from bench.commands import command
from console.waiting import wait_until


def _kubectl(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    tool = folder / "kubectl"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def test_a_namespace_that_is_there_already_is_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _kubectl(tmp_path, monkeypatch, "echo namespace/todo-bench-kubectl")
    with pytest.raises(SystemExit, match=r"already.*kubectl delete namespace todo-bench-kubectl"):
        namespaces.require_none()


def test_where_there_is_none_a_run_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _kubectl(tmp_path, monkeypatch, "exit 0")
    namespaces.require_none()


def test_kubectl_reaches_the_stacks_cluster_whatever_is_current(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/persons/own")
    _kubectl(tmp_path, monkeypatch, 'echo "$@"')
    outputs = {"kubeconfig": "/stacks/config", "kubeContext": "stacks"}
    with only_cluster(outputs) as person:
        asked = Path(os.environ["KUBECONFIG"]).read_text()
        assert "--kubeconfig /stacks/config --context stacks" in asked
        assert person == {"KUBECONFIG": "/persons/own"}
    assert os.environ["KUBECONFIG"] == "/persons/own"


def test_a_command_that_fails_or_is_not_there_ends_the_run_with_a_sentence() -> None:
    with pytest.raises(SystemExit, match=r"`sh -c echo no >&2; exit 3 …` failed: no"):
        command("sh", "-c", "echo no >&2; exit 3")
    with pytest.raises(SystemExit, match=r"no-such-command is not found; run `make up`"):
        command("no-such-command")


def test_a_command_that_does_not_end_ends_the_run_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commands, "_SECONDS", 0.1)
    with pytest.raises(SystemExit, match=r"`sleep 600 …` had not ended after 0.1 s"):
        command("sleep", "600")


def test_what_a_run_has_started_ends_with_it(tmp_path: Path) -> None:
    """Also what that has started in turn, as Pulumi does with its plugins."""
    group = tmp_path / "group"
    script = f"echo $$ > {group}.new; mv {group}.new {group}; sleep 600; true"
    run = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal, sys\n"
            "from bench.commands import command\n"
            "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
            f"command('sh', '-c', {script!r})",
        ]
    )
    wait_until(group.exists, 300, "it did not start")
    run.send_signal(signal.SIGTERM)
    assert run.wait(timeout=300) == 143
    wait_until(lambda: not _any_of(int(group.read_text())), 60, "something of it still runs")


def _any_of(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
