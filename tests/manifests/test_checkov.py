"""Manifests and Dockerfiles, checked by checkov."""

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.manifests.checkov import checkov
from tests.manifests.conftest import Manifests
from tests.manifests.waivers import Finding, assert_waived
from tests.recording import ROOT


def test_checkov_finds_nothing(manifests: Manifests, tmp_path: Path) -> None:
    for variant, objects in manifests.items():
        (tmp_path / f"{variant}.yaml").write_text(yaml.safe_dump_all(objects), encoding="utf-8")
    for app in ("backend", "frontend"):
        folder = tmp_path / app
        folder.mkdir()
        (folder / "Dockerfile").write_bytes((ROOT / "apps" / app / "Dockerfile").read_bytes())
    done = subprocess.run(
        [
            checkov(),
            *("--directory", tmp_path, "--framework", "kubernetes", "dockerfile"),
            *("--skip-download", "--quiet", "--compact", "--output", "json"),
        ],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    printed: Any = json.loads(done.stdout)
    reports: list[dict[str, Any]] = [printed] if isinstance(printed, dict) else printed
    findings = {
        Finding(it["check_id"], it["check_name"], it["resource"])
        for report in reports
        for it in report.get("results", {}).get("failed_checks", [])
    }
    assert_waived("checkov", findings)
    assert sum(report.get("summary", {}).get("passed", 0) for report in reports) > 100
