"""What the operations CLI shows of the deployed stack, and how it refuses."""

import json
import socket
import stat
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.commands import how_it_ended, succeeded
from tests.e2e.asking import ask
from tests.e2e.deployment import Deployment
from tests.e2e.enforcement import enforcement
from tests.ports import free_port
from tests.waiting import until


@contextmanager
def _running(deployment: Deployment, *arguments: str) -> Generator[subprocess.Popen[str]]:
    """A command that goes on until it is stopped."""
    process = subprocess.Popen(
        deployment.ops_command(*arguments),
        cwd=deployment.project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    # Whoever reads what it prints must not wait for ever.
    hanging = threading.Timer(600, process.terminate)
    hanging.start()
    try:
        yield process
    finally:
        hanging.cancel()
        process.terminate()
        process.wait()


def test_validate_finds_a_healthy_stack(deployment: Deployment) -> None:
    done = deployment.ops("validate", "--json")
    assert done.returncode == 0, how_it_ended(done)
    verdict = json.loads(done.stdout)
    assert verdict["healthy"]
    checks = {finding["check"]: finding["state"] for finding in verdict["findings"]}
    # How full the machine's disk is is not the stack's doing, nor what its kernel can.
    others = {"network policies", *(check for check in checks if check.startswith("volume "))}
    assert {state for check, state in checks.items() if check not in others} == {"ok"}
    if enforcement(deployment) == "enforced":
        assert checks["network policies"] == "ok"
    assert checks.keys() >= {
        "objects",
        "endpoints",
        "round trip",
        "drift",
        "volume data-postgres-0",
    }


def test_status_shows_every_pod_and_address(deployment: Deployment) -> None:
    done = deployment.ops("status", "--json")
    assert done.returncode == 0, how_it_ended(done)
    shown = json.loads(done.stdout)
    assert {pod["pod"] for pod in shown["pods"]} >= set(deployment.pods())
    assert shown["urls"] == {"frontend": deployment.frontend, "backend": deployment.backend}
    plain = deployment.ops("status")
    assert all(pod in plain.stdout for pod in deployment.pods())


def test_logs_have_the_lines_of_a_part_with_its_pods(deployment: Deployment) -> None:
    request = uuid4().hex
    ask("GET", f"{deployment.backend}/api/me", headers={"X-Request-ID": request})
    lines = list[str]()

    def is_shown() -> bool:
        lines[:] = succeeded(deployment.ops("logs", "backend", "--since", "10m")).splitlines()
        return any(request in line for line in lines)

    until(lambda: f"the request's line, among {lines[-10:]}", is_shown, 120)
    line = next(line for line in lines if request in line)
    assert line.split()[0] in deployment.pods("backend")
    assert "frontend" not in {line.split("-")[0] for line in lines}


def test_followed_logs_go_on_with_a_new_pod(deployment: Deployment) -> None:
    lines: list[str] = []
    with _running(deployment, "logs", "frontend", "--follow") as process:
        assert process.stdout is not None
        lines.append(process.stdout.readline())
        deployment.kubectl("delete", "pod", "--wait", *deployment.pods("frontend"))
        new = set(deployment.pods("frontend"))
        for line in process.stdout:
            lines.append(line)
            if line.split()[0] in new:
                break
    assert lines[0].split()[0] not in new
    assert lines[-1].split()[0] in new, lines[-10:]
    deployment.wait_ready()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["logs", "nothing"], 2, "the parts are backend, backup, database, frontend"),
        (["logs", "--since", "yesterday"], 2, "--since yesterday is not a time"),
        (["shell-db", "-c", "SELECT nonsense"], 1, "The database refused (column"),
        (["rotate-password"], 2, "Nobody is there to answer: add --yes"),
        (["rotate-jwt-key"], 2, "Nobody is there to answer: add --yes"),
        (["rotate-jwt-key", "--now"], 2, "--now goes with --finish only"),
        (["restore", "--dump", "nope", "--yes"], 1, "there is no backup nope"),
        (["no-such-command"], 2, "No such command"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence(
    deployment: Deployment, arguments: list[str], code: int, message: str
) -> None:
    done = deployment.ops(*arguments)
    assert done.returncode == code, how_it_ended(done)
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_stack_that_does_not_exist_is_named(deployment: Deployment) -> None:
    other = Deployment(project=deployment.project, stack="nowhere")
    done = other.ops("status")
    assert done.returncode == 3
    assert "There is no such stack; list them: pulumi stack ls." in done.stderr


def test_forwarded_ports_outlive_the_pods_behind_them(deployment: Deployment) -> None:
    port = free_port()
    arguments = ("forward", "--frontend", "0", "--backend", str(port), "--database", "0")
    with _running(deployment, *arguments):

        def answers() -> bool:
            try:
                return httpx.get(f"http://127.0.0.1:{port}/ready", timeout=70).status_code == 200
            except httpx.HTTPError:
                return False

        until("the forwarded port answers", answers, 600)
        deployment.kubectl("delete", "pod", "--wait", *deployment.pods("backend"))
        until("the forwarded port answers", answers, 600)
    deployment.wait_ready()


def test_a_local_port_that_is_taken_is_named(deployment: Deployment) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        done = deployment.ops("forward", "--frontend", port, "--backend", "0", "--database", "0")
    assert done.returncode == 2
    assert f"Port {port} of this machine cannot be used" in done.stderr
    assert "--frontend <port>" in done.stderr


def test_the_frontend_opens_in_the_browser(deployment: Deployment, tmp_path: Path) -> None:
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(browser.stat().st_mode | stat.S_IXUSR)
    done = deployment.ops("open", environment={"BROWSER": f"{browser} %s"})
    assert done.returncode == 0, how_it_ended(done)
    assert opened.read_text().strip() == deployment.frontend


def test_sql_runs_without_a_password(deployment: Deployment) -> None:
    done = deployment.ops("shell-db", "-c", "SELECT current_database() || current_user")
    assert done.returncode == 0, how_it_ended(done)
    assert done.stdout.strip() == "todotodo"
