"""The deployed stack as the tests see it: through kubectl, Pulumi and HTTP, as a user would."""

import json
import os
import subprocess
from functools import cached_property
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]


class Deployment:
    """One deployed stack. Commands run with the environment that `make env` gives."""

    stack = os.environ.get("STACK", "minikube")

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return _run("pulumi", *arguments, "--stack", self.stack, "--color", "never")

    def up(self) -> None:
        done = self.pulumi("up", "--yes", "--skip-preview")
        assert done.returncode == 0, done.stdout + done.stderr

    def kubectl(self, *arguments: str) -> str:
        done = self.try_kubectl(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def try_kubectl(
        self, *arguments: str, text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return _run("kubectl", "--namespace", self.namespace, *arguments, text=text)

    @cached_property
    def outputs(self) -> dict[str, Any]:
        done = self.pulumi("stack", "output", "--json")
        assert done.returncode == 0, f"no stack is deployed; run `make up` first\n{done.stderr}"
        return json.loads(done.stdout)

    @property
    def namespace(self) -> str:
        return self.outputs["namespace"]

    @property
    def frontend(self) -> str:
        return self.outputs["frontendUrl"]

    @property
    def backend(self) -> str:
        return self.outputs["backendUrl"]

    def pods(self, component: str | None = None) -> dict[str, str]:
        """Names and UIDs of the running workloads' pods, those being deleted left out."""
        selector = (
            f"app.kubernetes.io/component={component}"
            if component
            else "app.kubernetes.io/component"
        )
        items = json.loads(self.kubectl("get", "pods", "-l", selector, "-o", "json"))["items"]
        return {
            pod["metadata"]["name"]: pod["metadata"]["uid"]
            for pod in items
            if "deletionTimestamp" not in pod["metadata"] and pod["status"]["phase"] != "Succeeded"
        }

    def wait_ready(self) -> None:
        for workload in ("statefulset/postgres", "deployment/backend", "deployment/frontend"):
            self.kubectl("rollout", "status", workload, "--timeout=180s")

    def sql(self, query: str) -> str:
        """The answer of the stack's own PostgreSQL, asked inside its pod."""
        return self.kubectl(
            "exec",
            "postgres-0",
            "--",
            "psql",
            "-h",
            "/var/run/postgresql",
            "-U",
            "todo",
            "-d",
            "todo",
            "-At",
            "-c",
            query,
        ).strip()


def _run(*command: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, input=text, check=False, timeout=600
    )
