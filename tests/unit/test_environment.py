"""The variables of Pulumi and kubectl: what a person has chosen wins."""

import json
from pathlib import Path

import pytest

from toolchain import (
    environment,
)


def test_a_users_own_backend_and_passphrase_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://ours")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "ours")
    assert (
        not {"PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE_FILE"}
        & environment.variables("minikube").keys()
    )
    assert not environment.uses_own_state("minikube")


def test_a_users_login_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    assert environment.variables("minikube")["PULUMI_BACKEND_URL"].startswith("file://")
    (tmp_path / "credentials.json").write_text(json.dumps({"current": "https://api.pulumi.com"}))
    assert "PULUMI_BACKEND_URL" not in environment.variables("minikube")
