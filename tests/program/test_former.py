"""A stack deployed before is taken over as it is: nothing is replaced, made twice or renamed."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.programs import run_program
from tests.recording import SECRETS, Recorded, Recording

_FILES = sorted((Path(__file__).parent / "former").glob("*.json"))
_STACKS = [
    pytest.param(stack, id=f"{file.stem}-{name}")
    for file in _FILES
    for name, stack in json.loads(file.read_text(encoding="utf-8")).items()
]


@pytest.mark.parametrize("stack", _STACKS)
def test_every_resource_of_a_stack_deployed_before_is_taken_over(stack: dict[str, Any]) -> None:
    recording = run_program(stack["settings"], secrets=_secrets(stack))
    known = taken_over(recording, stack["urns"])
    assert set(known.values()) == set(stack["urns"])
    objects = {r.urn: r.kubernetes_name for r in recording.resources}
    for urn, former in known.items():
        assert objects[urn] == stack["urns"][former]
        # Components are nothing but names; another type of an object is another object.
        assert _type(urn) == _type(former) or _type(former).startswith("todo:kubernetes:")


def taken_over(recording: Recording, state: dict[str, Any]) -> dict[str, str]:
    """Returns which resource of a state becomes which of a program, as the engine finds it.

    Args:
        recording: What the program registers, in that order.
        state: The state's URNs.

    Returns:
        URN in the program to URN in the state.
    """
    known: dict[str, str] = {}
    for resource in recording.resources:
        candidates = [resource.urn, *_aliases(resource, known)]
        found = next((urn for urn in candidates if urn in state), None)
        if found is not None:
            assert found not in known.values(), f"two resources claim to be {found}"
            known[resource.urn] = found
    return known


def _aliases(resource: Recorded, known: dict[str, str]) -> list[str]:
    """Returns all former URNs of a resource (pkg/resource/deploy/step_generator.go)."""
    own: list[str] = []
    for alias in resource.aliases:
        spec = alias["spec"]
        parent = spec.get("parentUrn") or resource.parent
        parent = known.get(parent, parent) if "parentUrn" in spec else parent
        own.append(
            _urn(
                parent,
                spec.get("type") or resource.type,
                spec.get("name") or resource.name,
                resource.urn,
            )
        )
    parent = resource.parent
    if known.get(parent, parent) == parent:
        return own
    inherited = [
        _inherited(known[parent], parent, name, type_)
        for name, type_ in [
            (resource.name, resource.type),
            *((_name(urn), _type(urn)) for urn in own),
        ]
    ]
    return [*own, *inherited]


def _inherited(former_parent: str, parent: str, name: str, type_: str) -> str:
    if name.startswith(_name(parent)):
        name = _name(former_parent) + name.removeprefix(_name(parent))
    return _urn(former_parent, type_, name, former_parent)


def _urn(parent: str, type_: str, name: str, like: str) -> str:
    types = f"{parent.split('::')[2]}${type_}" if parent else type_
    types = types.removeprefix("pulumi:pulumi:Stack$")
    return "::".join([*like.split("::")[:2], types, name])


def _name(urn: str) -> str:
    return urn.split("::")[3]


def _type(urn: str) -> str:
    return urn.split("::")[2].rsplit("$", 1)[-1]


def _secrets(stack: dict[str, Any]) -> dict[str, str]:
    return {key: SECRETS[key] for key in stack["encrypted"]}
