"""Enforced network policies: found out before the cluster starts, and said when they are not."""

# pyright: reportPrivateUsage=false
import configparser
from pathlib import Path

import pytest

from distribution.cluster import firewall, node, supervisor


def _program(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.mark.parametrize("lacking", [None, "ipset", "iptables"])
def test_one_rule_that_the_kernel_refuses_is_enough(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lacking: str | None
) -> None:
    _program(tmp_path, "unshare", 'shift\nexec "$@"')
    for name in ("ipset", "iptables"):
        _program(tmp_path, name, f"exit {int(name == lacking)}")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert firewall.supported() == (lacking is None)


@pytest.mark.parametrize("enforce", [True, False])
def test_kube_router_runs_only_where_it_can(tmp_path: Path, enforce: bool) -> None:
    (tmp_path / "config").mkdir()
    supervisor.write(tmp_path, tmp_path / "bin", enforce=enforce)
    programs = configparser.RawConfigParser()
    programs.read(tmp_path / "config" / "supervisord.conf")
    assert supervisor.enforces(tmp_path) == enforce
    assert ("program:kube-router" in programs) == enforce
    assert programs["program:kubelet"].getboolean("autostart")


@pytest.mark.parametrize(
    ("supported", "sentence"),
    [
        (False, "this kernel lacks the IP sets"),
        (True, "run `make cluster-stop cluster-start` once"),
    ],
)
def test_policies_that_are_not_enforced_are_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    supported: bool,
    sentence: str,
) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(supervisor, "enforces", lambda root: False)
    monkeypatch.setattr(firewall, "supported", lambda: supported)
    monkeypatch.setattr(node, "_kubectl", lambda _, *arguments: asked.append(arguments))
    node._policies(tmp_path)
    (line,) = capsys.readouterr().out.splitlines()
    assert "declared but not enforced" in line
    assert sentence in line
    assert asked == [("label", "--overwrite", "node/todo", "todo/network-policies=declared")]
