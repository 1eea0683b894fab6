"""What a person has to know who applies what was exported."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from components.postgres.metrics_role import PASSWORD_KEY
from components.postgres_cluster.backup import AUTHORITY_KEY
from components.todo.secret_table import BACKUP_KEY, DATABASE_PASSWORD, POD_SECRETS
from tools.export.objects import Object, Secret, StackObjects

_MADE = {
    **{it.file: it.generate or "echo …" for it in POD_SECRETS},
    # Of the role that reads the database's metrics, whoever else's it is not.
    PASSWORD_KEY: DATABASE_PASSWORD.generate or "",
}
_CERTIFICATES = f"cat … > {AUTHORITY_KEY}"
"""PEM text stays as it is, its line ends included."""

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
folder that nobody else can read, with yours in place of each `…`:

```
cd "$(mktemp -d)"
kubectl create namespace {namespace} --dry-run=client -o yaml | kubectl apply -f -
{commands}
```

Their names stay when a value changes: roll the pods then, with `kubectl rollout restart`.
{kept}
"""
_KEPT_ELSEWHERE = f"""
Keep a copy of `{BACKUP_KEY.file}` elsewhere before it goes: nobody can read the backups without it.
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
        stored = any(BACKUP_KEY.file in it.keys for it in stack.secrets)
        text += _NEW_SECRETS.format(
            namespace=stack.namespace,
            commands=_commands(stack),
            kept=_KEPT_ELSEWHERE if stored else "",
        )
    return text


def _commands(stack: StackObjects) -> str:
    made = {key: _make(it, key) for it in stack.secrets for key in it.keys}
    return "\n".join(
        [
            *(made[key] for key in sorted(made)),
            *(_create(it, stack.namespace) for it in stack.secrets),
            f"rm {' '.join(sorted(made))}",
        ]
    )


def _make(secret: Secret, key: str) -> str:
    """Returns the command that makes a file with the value of a key."""
    if key == AUTHORITY_KEY:
        return _CERTIFICATES
    if secret.role is None:
        return f"{_MADE[key]} | tr -d '\\n' > {key}"
    return {
        "username": f"printf %s {secret.role} > {key}",
        # After it, as files are made in the order of their names.
        "password": f"cat {DATABASE_PASSWORD.file} > {key}",
    }[key]


def _create(secret: Secret, namespace: str) -> str:
    files = " ".join(f"--from-file={it}" for it in secret.keys)
    return f"kubectl create secret generic {secret.name} --namespace {namespace} {files}"


def _images(tree: object) -> Iterator[str]:
    named = ("image", "imageName")
    yield from (it for key, it in _entries(tree) if key in named and isinstance(it, str))


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
