"""What a person has to know who applies what was exported."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from components.todo.secret_table import SECRETS
from tools.export.objects import Object, Secret, StackObjects

_GENERATED = {it.file: it.generate for it in SECRETS}


_TEXT = """\
# Stack {stack}

`{again}` has written this from the program, and writes it anew: change the stack's file, and not
these. What the program computes follows from its settings alone, and not from values or patches
here: the quota, the sizes of the database's pools, whom the NetworkPolicies let in.

## Plain manifests

```
kubectl apply -k manifests
```

Argo CD and Flux take the folder as it is. They remove neither the namespace nor the claims.

## Chart

```
helm upgrade --install {chart} chart --namespace {namespace} --create-namespace \\
  --take-ownership --values chart/values-{stack}.yaml
```

There are values of the stacks {stacks}. With `--take-ownership` (since Helm 3.17) the namespace,
which Helm makes before it installs anything, becomes the chart's, with its labels.

{secrets}## Images

{images}

Those in `localhost/` are in no registry, but in the cluster that `make up` built them into. Of
those that the program pushes, the tag is a hash of the sources: `pulumi up` pushes it, or your CI.
"""
_SECRETS = """\
## Secrets

None is in here. These have to be in namespace {namespace} before the pods can start:

| Secret | keys |
|---|---|
{rows}

"""
_NEW_SECRETS = """\
A key has the same value in all of them, as the database's password has. To make new ones, in a
folder that nobody else can read:

```
cd "$(mktemp -d)"
kubectl create namespace {namespace} --dry-run=client -o yaml | kubectl apply -f -
{commands}
```

Their names stay when a value changes: roll the pods then, with `kubectl rollout restart`.

"""


def readme(stack: StackObjects, stacks: Sequence[str], *, again: str, chart: str) -> str:
    """Returns the text.

    Args:
        stack: The exported stack.
        stacks: All whose values the chart has.
        again: The command that exports it.
        chart: The chart's name.
    """
    return _TEXT.format(
        again=again,
        chart=chart,
        stack=stack.stack,
        stacks=", ".join(stacks),
        namespace=stack.namespace,
        secrets=_secrets(stack),
        images="\n".join(f"- `{it}`" for it in sorted(set(_images(stack.objects)))),
    )


def _secrets(stack: StackObjects) -> str:
    rows = [f"| `{it.name}` | {', '.join(f'`{key}`' for key in it.keys)} |" for it in stack.secrets]
    rows += [
        f"| `{name}` | those of type kubernetes.io/dockerconfigjson, for the registry |"
        for name in sorted(_pull_secrets(stack.objects))
    ]
    if not rows:
        return ""
    text = _SECRETS.format(namespace=stack.namespace, rows="\n".join(rows))
    if stack.secrets:
        text += _NEW_SECRETS.format(namespace=stack.namespace, commands=_commands(stack))
    return text


def _commands(stack: StackObjects) -> str:
    keys = sorted({key for it in stack.secrets for key in it.keys})
    return "\n".join(
        [
            *(f"{_GENERATED.get(it) or 'echo …'} | tr -d '\\n' > {it}" for it in keys),
            *(_create(it, stack.namespace) for it in stack.secrets),
            f"rm {' '.join(keys)}",
        ]
    )


def _create(secret: Secret, namespace: str) -> str:
    files = " ".join(f"--from-file={it}" for it in secret.keys)
    return f"kubectl create secret generic {secret.name} --namespace {namespace} {files}"


def _images(tree: object) -> Iterator[str]:
    yield from (it for key, it in _entries(tree) if key == "image" and isinstance(it, str))


def _pull_secrets(objects: Sequence[Object]) -> set[str]:
    return {
        secret["name"]
        for key, it in _entries(list(objects))
        if key == "imagePullSecrets"
        for secret in it
    }


def _entries(tree: object) -> Iterator[tuple[str, Any]]:
    """Yields all keys of a tree, at any depth, with what they have."""
    if isinstance(tree, Mapping):
        for key, it in cast("Mapping[str, object]", tree).items():
            yield key, it
            yield from _entries(it)
    elif isinstance(tree, list | tuple):
        for it in cast("Sequence[object]", tree):
            yield from _entries(it)
