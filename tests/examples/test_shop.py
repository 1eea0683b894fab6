"""examples/shop, as the library's wheel alone lets it run."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.recording import ROOT

SHOP = ROOT / "examples" / "shop"
CONFIG = {"shop:databasePassword": "password-of-the-tests"}


@pytest.fixture(scope="module")
def resources(strangers_python: Path) -> list[dict[str, Any]]:
    """What the program registers, with Pulumi's mocks."""
    record = Path(__file__).with_name("record.py")
    done = subprocess.run(
        [strangers_python, "-P", record, "__main__.py", json.dumps(CONFIG)],
        cwd=SHOP,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _names(resources: list[dict[str, Any]], kind: str) -> set[str]:
    objects = (it["inputs"] for it in resources if it["inputs"].get("kind") == kind)
    return {it["metadata"].get("name", "named by Pulumi") for it in objects}


def _one(resources: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    objects = [it["inputs"] for it in resources if it["inputs"].get("kind") == kind]
    (found,) = (it for it in objects if it["metadata"].get("name") == name)
    return found


def test_it_names_the_library_by_its_git_address_and_nothing_else() -> None:
    lines = (SHOP / "requirements.txt").read_text(encoding="utf-8").splitlines()
    (requirement,) = (it for it in lines if not it.startswith("#"))
    assert requirement.startswith("kubernetes-app-components @ git+https://")


def test_it_is_short_and_imports_nothing_else_of_this_repository() -> None:
    program = (SHOP / "__main__.py").read_text(encoding="utf-8")
    assert len(program.splitlines()) <= 60
    assert not any(
        it in program for it in ("components.todo", "from components", "import components")
    )


@pytest.mark.skipif(shutil.which("node") is None, reason="pyright needs Node.js")
def test_its_types_are_right_with_the_library_as_installed(
    strangers_python: Path, tmp_path: Path
) -> None:
    shop = shutil.copytree(SHOP, tmp_path / "shop")  # this repository's configuration is not its
    (shop / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    pyright = (sys.executable, "-m", "pyright", "--pythonpath", strangers_python)
    done = subprocess.run(pyright, cwd=shop, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_it_declares_a_page_a_worker_and_a_database(resources: list[dict[str, Any]]) -> None:
    assert _names(resources, "Namespace") == {"shop"}
    assert _names(resources, "Deployment") == {"web", "worker"}
    assert _names(resources, "StatefulSet") == {"database"}
    assert _names(resources, "CronJob") == {"database-backup"}


def test_only_what_has_a_port_has_a_service(resources: list[dict[str, Any]]) -> None:
    services = _names(resources, "Service")
    assert "web" in services
    assert "database" in services
    assert not any(it.startswith("worker") for it in services)


def test_nothing_talks_but_the_worker_and_the_backups_to_the_database(
    resources: list[dict[str, Any]],
) -> None:
    everything = _one(resources, "NetworkPolicy", "default-deny")["spec"]
    assert everything["podSelector"] == {}
    assert set(everything["policyTypes"]) == {"Ingress", "Egress"}
    worker = _one(resources, "Deployment", "worker")["spec"]["selector"]["matchLabels"]
    database = _one(resources, "StatefulSet", "database")["spec"]["selector"]["matchLabels"]
    policies = [
        it["inputs"]["spec"] for it in resources if it["inputs"].get("kind") == "NetworkPolicy"
    ]
    (into,) = (
        it["ingress"]
        for it in policies
        if it["podSelector"].get("matchLabels") == database and "Ingress" in it["policyTypes"]
    )
    admitted = [peer["podSelector"]["matchLabels"] for rule in into for peer in rule["from"]]
    assert worker in admitted
    assert len(admitted) == 2


def test_every_object_is_in_the_shops_own_namespace(resources: list[dict[str, Any]]) -> None:
    objects = [it["inputs"] for it in resources if it["type"].startswith("kubernetes:")]
    namespaces = {it["metadata"].get("namespace") for it in objects if it["kind"] != "Namespace"}
    assert namespaces == {"shop"}


def test_the_password_is_a_secret_wherever_it_goes(resources: list[dict[str, Any]]) -> None:
    assert CONFIG["shop:databasePassword"] not in json.dumps(resources)


def test_type_tokens_are_the_librarys(resources: list[dict[str, Any]]) -> None:
    components = {it["type"] for it in resources if it["type"].count(":") == 2} - {
        it["type"] for it in resources if it["type"].startswith(("kubernetes:", "pulumi:"))
    }
    assert components == {
        "kubernetes-app-components:index:AppDeployment",
        "kubernetes-app-components:index:PostgresStatefulSet",
    }
