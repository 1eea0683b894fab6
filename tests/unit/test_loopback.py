"""Ports of this machine that lead to the embedded cluster."""

import socket
from pathlib import Path

import pytest

from console.failure import Failure
from distribution.cluster import loopback, network
from tests.ports import free_port


def test_rules_replace_themselves() -> None:
    script = network._masquerade("10.0.0.0/8", 'oifname "x"')  # pyright: ignore[reportPrivateUsage]
    assert script.index("delete table") < script.index("masquerade")


def test_a_port_of_this_machine_that_is_in_use_stays_whose_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = taken.getsockname()[1], free_port()
        assert loopback._free(ports) == [ports[1]]  # pyright: ignore[reportPrivateUsage]
    assert f"port {ports[0]} of 127.0.0.1 is in use" in capsys.readouterr().out


def test_ports_lead_to_the_cluster_without_a_way_back_to_this_machines_own_services() -> None:
    script = loopback.rules([30443])
    assert "tcp dport { 30443 } dnat to" in script
    assert "ip daddr 127.0.0.0/8 drop" in script


def test_ports_lead_nowhere_before_a_gateway_is_there_and_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(network, "route_loopback", lambda: None)
    monkeypatch.setattr(network, "load_rules", loaded.append)
    monkeypatch.setattr(loopback, "down", loaded.clear)
    (tmp_path / "config").mkdir()
    loopback.up(tmp_path)
    assert loaded == []
    loopback.lead(tmp_path, [30443])
    assert len(loaded) == 1
    loopback.up(tmp_path)  # the cluster starts again
    assert len(loaded) == 2
    loopback.lead(tmp_path, [])
    loopback.up(tmp_path)
    assert loaded == []


def test_a_kernel_that_lets_no_port_lead_anywhere_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused() -> None:
        raise Failure("it cannot be written")

    monkeypatch.setattr(network, "route_loopback", refused)
    monkeypatch.setattr(loopback, "down", lambda: None)
    (tmp_path / "config").mkdir()
    loopback.lead(tmp_path, [30443])
    assert "kubectl port-forward" in capsys.readouterr().out
