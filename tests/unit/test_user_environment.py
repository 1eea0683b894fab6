"""The user's own environment, and what a tool answers in it."""

import os
from pathlib import Path

import pytest

from tests.unit.fake_tools import Tools
from toolchain import paths
from toolchain.providers import user_environment


class TestEnvironment:
    def test_of_the_tools_is_the_persons_own(
        self, tools: Tools, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        own = paths.LOCAL / "kubeconfig.kind-todo"
        monkeypatch.setenv("KUBECONFIG", f"/mine/config{os.pathsep}{own}")
        monkeypatch.setenv("DOCKER_CONFIG", str(paths.DOCKER_CONFIG))
        monkeypatch.setenv("DOCKER_CONTEXT", "todo-minikube")
        found = user_environment.environment()
        assert found["KUBECONFIG"] == "/mine/config"
        assert not {"DOCKER_CONFIG", "DOCKER_CONTEXT"} & found.keys()
        monkeypatch.setenv("KUBECONFIG", str(own))
        assert "KUBECONFIG" not in user_environment.environment()

    def test_leaves_a_minikubes_inner_docker_for_the_one_before(
        self, tools: Tools, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # eval $(minikube docker-env)
        monkeypatch.setenv("MINIKUBE_ACTIVE_DOCKERD", "minikube")
        monkeypatch.setenv("DOCKER_HOST", "tcp://192.168.49.2:2376")
        monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
        monkeypatch.setenv("MINIKUBE_EXISTING_DOCKER_HOST", "unix:///run/user/1000/docker.sock")
        found = user_environment.environment()
        assert found["DOCKER_HOST"] == "unix:///run/user/1000/docker.sock"
        assert "DOCKER_TLS_VERIFY" not in found

    def test_keeps_a_docker_of_the_persons(
        self, tools: Tools, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DOCKER_HOST", "ssh://me@server")
        monkeypatch.setenv("DOCKER_CONFIG", "/mine/docker")
        monkeypatch.setenv("DOCKER_CONTEXT", "work")
        found = user_environment.environment()
        assert found["DOCKER_HOST"] == "ssh://me@server"
        assert (found["DOCKER_CONFIG"], found["DOCKER_CONTEXT"]) == ("/mine/docker", "work")


class TestAnswer:
    @pytest.mark.parametrize(
        ("text", "document"),
        [
            ('{"a": 1}\n{"a": 2}\n', {"a": 2}),
            ("null", None),
            ('* a hint {"not": "this"}\n[1]', [1]),
            ("false exit code 83\n", None),
            ("", None),
            ('[WARN] words\n{"a": [{}]} ', {"a": [{}]}),
        ],
    )
    def test_holds_the_document_that_comes_last(self, text: str, document: object) -> None:
        assert user_environment.Answer(code=0, text=text, errors="").document() == document

    def test_of_a_tool_that_is_not_there_is_a_failing_one(self, tools: Tools) -> None:
        assert user_environment.ask(["nothing-like-this"]).code == -1

    def test_may_hold_what_is_no_text(self, tmp_path: Path) -> None:
        program = tmp_path / "tool"
        program.write_text('#!/bin/sh\nprintf \'{"Name": "\\377"}\'\n')
        program.chmod(0o755)
        assert user_environment.ask([str(program)]).object() == {"Name": "\ufffd"}
