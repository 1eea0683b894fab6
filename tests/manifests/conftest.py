"""The manifests as they would be applied, of settings that make every kind of object."""

from typing import Any

import pytest

from components.values.exposure import IngressExposure
from tests.programs import STACKS, run_program, stack_settings

Manifests = dict[str, list[dict[str, Any]]]
"""Kubernetes objects by variant of the settings."""


def variants() -> dict[str, Any]:
    """Returns settings that together make every kind of object there is."""
    settings = {stack: stack_settings(stack) for stack in STACKS}
    ingress = stack_settings("cloud")
    ingress["frontend"]["exposure"] = IngressExposure(
        host="todo.example.com", class_name="nginx", tls_secret="todo-tls"
    ).model_dump(by_alias=True)
    return {**settings, "ingress": ingress}


@pytest.fixture(scope="session")
def manifests() -> Manifests:
    return {name: run_program(it).manifests() for name, it in variants().items()}
