"""Manifests, checked by kube-score."""

import json
import subprocess

import pytest
import yaml

from tests.manifests.conftest import Manifests
from tests.manifests.waivers import Finding, assert_waived
from toolchain import tools

# Beyond the default: the other optional checks ask for requests equal to limits.
OPTIONAL = ("container-ports-check", "container-seccomp-profile")
ALL_OK = 10


def test_kube_score_finds_nothing(manifests: Manifests) -> None:
    program = tools.linter("kube-score")
    if program is None:
        pytest.skip("there is no kube-score; `make test` builds it, or says why it cannot")
    findings: set[Finding] = set()
    passed = 0
    for variant, objects in manifests.items():
        done = subprocess.run(
            [
                *(program, "score", "--kubernetes-version", "v1.34", "--output-format", "json"),
                *(f"--enable-optional-test={check}" for check in OPTIONAL),
                "-",
            ],
            input=yaml.safe_dump_all(objects),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.stdout.startswith("["), done.stderr
        for it in json.loads(done.stdout):
            for check in it["checks"]:
                if check["skipped"]:
                    continue
                passed += check["grade"] == ALL_OK
                if check["grade"] < ALL_OK:
                    rule, title = check["check"]["id"], check["check"]["name"]
                    findings.add(Finding(rule, title, f"{variant} {it['object_name']}"))
    assert_waived("kube-score", findings)
    assert passed > 200
