"""The manifests as they would be applied, and the Dockerfiles, checked by outside tools."""

import json
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from components.values import Ingress
from tests.manifests.checkov import checkov
from tests.programs import STACKS, run_program, stack_settings
from tests.recording import ROOT

WAIVERS = yaml.safe_load((Path(__file__).parent / "waivers.yaml").read_text(encoding="utf-8"))
VERSIONS = ("1.31", "1.34")
SCRIPTS = Path(sysconfig.get_path("scripts"))


def variants() -> dict[str, Any]:
    """Returns settings that together make every kind of object there is."""
    settings = {stack: stack_settings(stack) for stack in STACKS}
    ingress = stack_settings("cloud")
    ingress["frontend"]["exposure"] = Ingress(
        host="todo.example.com", class_name="nginx", tls_secret="todo-tls"
    ).model_dump(by_alias=True)
    return {**settings, "ingress": ingress}


@pytest.fixture(scope="module")
def manifests() -> dict[str, list[dict[str, Any]]]:
    return {name: run_program(it).manifests() for name, it in variants().items()}


@pytest.mark.parametrize("version", VERSIONS)
def test_manifests_are_valid(manifests: dict[str, list[dict[str, Any]]], version: str) -> None:
    builtin = [
        manifest
        for stack in manifests.values()
        for manifest in stack
        if "." not in manifest["apiVersion"].partition("/")[0]
        or (".k8s.io/" in manifest["apiVersion"] and "gateway" not in manifest["apiVersion"])
    ]
    assert len(builtin) > 50
    for manifest in builtin:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_checkov_finds_nothing(manifests: dict[str, list[dict[str, Any]]], tmp_path: Path) -> None:
    for stack, objects in manifests.items():
        (tmp_path / f"{stack}.yaml").write_text(yaml.safe_dump_all(objects), encoding="utf-8")
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
        timeout=120,
        check=False,
    )
    reports = json.loads(done.stdout)
    reports = reports if isinstance(reports, list) else [reports]
    findings = [
        it for report in reports for it in report.get("results", {}).get("failed_checks", [])
    ]
    open_findings = {
        f"{it['check_id']} {it['check_name']}: {it['resource']}"
        for it in findings
        if not _waived(WAIVERS["checkov"].get(it["check_id"]), it["resource"])
    }
    assert not open_findings, "\n".join(sorted(open_findings))
    assert {it["check_id"] for it in findings} == set(WAIVERS["checkov"]), "a waiver is not needed"
    assert sum(report.get("summary", {}).get("passed", 0) for report in reports) > 100


def _waived(waiver: dict[str, str] | None, resource: str) -> bool:
    return waiver is not None and re.search(waiver["resources"], resource) is not None


@pytest.mark.parametrize("app", ["backend", "frontend"])
def test_hadolint_finds_nothing(app: str) -> None:
    ignored = [f"--ignore={rule}" for rule in WAIVERS["hadolint"]]
    done = subprocess.run(
        [SCRIPTS / "hadolint", *ignored, ROOT / "apps" / app / "Dockerfile"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


def test_waivers_have_reasons() -> None:
    for rules in WAIVERS.values():
        assert all(len(waiver["reason"]) > 20 for waiver in rules.values())
