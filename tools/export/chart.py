"""All stacks as one chart of Helm, with values for each."""

from collections.abc import Iterator, Mapping, Sequence

from tools.export.content_names import LENGTH
from tools.export.differences import node
from tools.export.nodes import Block, Fixed, FromValues, IfEnabled, Name, Node
from tools.export.objects import Object, StackObjects
from tools.export.templates import template, value
from tools.export.values import Place, Values, camel
from tools.export.yaml_text import yaml_text

_NAMESPACE = "<namespace of the release>"
"""Stands where Helm puts the namespace that it is given."""
_Objects = Mapping[str, Object]
"""An object as stacks have it, by stack."""


def chart_files(
    stacks: Sequence[StackObjects], default: str, *, name: str, description: str, version: str
) -> dict[str, str]:
    """Returns the files of the chart by their paths in it.

    Args:
        stacks: All stacks.
        default: The stack whose values are the chart's own.
        name: The chart's name.
        description: What it installs.
        version: Its version.
    """
    values = Values(stacks=[it.stack for it in stacks])
    bases = {found: base for it in stacks for found, base in it.generated.items()}
    objects = _by_place(stacks, bases)
    contents = {found: values.keep(it.names, said) for found, it, said in _contents(objects, bases)}
    expressions = {
        _NAMESPACE: ".Release.Namespace",
        **{found: _content_name(bases[found], it) for found, it in contents.items()},
    }
    templates: dict[str, str] = {}
    for place, by_stack in objects.items():
        text = template(_node(place, by_stack, objects, contents, values), expressions)
        file = f"templates/{place.component}.yaml"
        templates[file] = templates.get(file, "") + text
    about = {"apiVersion": "v2", "name": name, "description": description, "version": version}
    return {
        "Chart.yaml": yaml_text({**about, "type": "application"}),
        "values.yaml": _values(f"Those of stack {default}.", values.of(default)),
        **{
            f"values-{it}.yaml": _values(
                f"What stack {it} says where stacks differ.", values.overlay(it, default)
            )
            for it in values.stacks
        },
        **dict(sorted(templates.items())),
    }


def _values(comment: str, tree: object) -> str:
    return f"# {comment} null leaves a field out.\n{yaml_text(tree)}"


def _by_place(
    stacks: Sequence[StackObjects], bases: Mapping[str, str]
) -> dict[Place, dict[str, Object]]:
    """Returns all objects by what they are in every stack that has them."""
    objects: dict[Place, dict[str, Object]] = {}
    for stack in stacks:
        for manifest in stack.objects:
            name = manifest["metadata"]["name"]
            place = Place.of(manifest, bases.get(name, name))
            objects.setdefault(place, {})[stack.stack] = _released(manifest)
    return objects


def _released(manifest: Object) -> Object:
    """Returns an object in the namespace that Helm is given."""
    metadata = manifest["metadata"]
    key = "name" if manifest["kind"] == "Namespace" else "namespace"
    return {**manifest, "metadata": {**metadata, key: _NAMESPACE}}


def _contents(
    objects: Mapping[Place, _Objects], bases: Mapping[str, str]
) -> Iterator[tuple[str, Place, Mapping[str, object]]]:
    """Yields the names that change with a content, where that stands, and what it is by stack."""
    for place, by_stack in objects.items():
        [found] = {it["metadata"]["name"] for it in by_stack.values()}
        if found in bases:
            said: dict[str, object] = {stack: it.get("data") for stack, it in by_stack.items()}
            yield found, place.at("data"), said


def _content_name(base: str, content: Name) -> str:
    """Returns what evaluates to the same as `content_names.content_hash`."""
    return f'printf "{base}-%s" ({value(content)} | toJson | sha256sum | trunc {LENGTH})'


def _node(
    place: Place,
    by_stack: _Objects,
    objects: Mapping[Place, _Objects],
    contents: Mapping[str, Name],
    values: Values,
) -> Node:
    found = next(iter(by_stack.values()))["metadata"]["name"]
    if found in contents:
        without = {stack: {**it, "data": None} for stack, it in by_stack.items()}
        whole = _with_content(node(without, place, values), contents[found])
    else:
        whole = node(by_stack, place, values)
    if set(by_stack) == set(values.stacks):
        return whole
    there = {it: it in by_stack for it in values.stacks}
    return IfEnabled(name=values.keep(_toggles(place, objects), there), node=whole)


def _toggles(place: Place, objects: Mapping[Place, _Objects]) -> Sequence[Name]:
    """Returns names for what enables an object: all of a component that come together have one."""
    own = [by_stack.keys() for it, by_stack in objects.items() if it.component == place.component]
    together = all(it == own[0] for it in own)
    component = [(camel(place.component), "enabled")] if together else []
    return [*component, *place.at("enabled").names]


def _with_content(whole: Node, content: Name) -> Block:
    match whole:
        case Block(entries=entries):
            return Block(entries={**entries, "data": FromValues(name=content)})
        case Fixed(tree=tree):
            entries = {key: Fixed(tree=it) for key, it in tree.items()}
            return Block(entries={**entries, "data": FromValues(name=content)})
        case _:
            raise AssertionError("an object is a mapping")
