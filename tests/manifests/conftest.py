"""The manifests as they would be applied, of settings that make every kind of object."""

from typing import Any

import pytest

from components.values.exposure import IngressExposure
from tests.addons.program import STACKS as ADDONS
from tests.addons.program import addon_settings, run_addons
from tests.programs import STACKS, run_program, stack_settings

Manifests = dict[str, list[dict[str, Any]]]
"""Kubernetes objects by variant of the settings, those of the add-ons among them."""


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
    own = {name: run_program(it).manifests() for name, it in variants().items()}
    # Without what charts and published definitions hold, which their makers answer for.
    addons = {f"addons-{it}": run_addons(addon_settings(it)).manifests() for it in ADDONS}
    return {**own, **addons}
