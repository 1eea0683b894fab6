"""Reads the stack's configuration, and what `make up` found out, into validated settings."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pulumi
import yaml
from pulumi.runtime import config as runtime_config
from pydantic import ValidationError

from components.settings import Settings

FOUND = ".local/settings.<stack>.json"
"""Where `make up` writes what it found out for a stack, relative to the project."""
_BEFORE = Path(".local/settings.json")
"""One file for all stacks, as `make up` wrote it before."""
_SECRETS = {
    "databasePassword": "openssl rand -hex 24",
    "jwtKey": "openssl rand -hex 32",
    "jwtNextKey": None,
    "jwtPreviousKey": None,
    "chatApiKey": None,
}


def found_file(stack: str) -> Path:
    """Returns the file with what `make up` found out for a stack, relative to the project."""
    return Path(FOUND.replace("<stack>", stack))


class SettingsError(pulumi.RunError):
    """The configuration is wrong; Pulumi prints the message alone, without a traceback."""


@dataclass(frozen=True, kw_only=True)
class SecretValues:
    """The secrets of a stack whose secrets are generated; always Pulumi secrets."""

    database_password: pulumi.Output[str]
    jwt_key: pulumi.Output[str]
    jwt_next_key: pulumi.Output[str] | None = None
    jwt_previous_key: pulumi.Output[str] | None = None
    chat_api_key: pulumi.Output[str] | None = None


@dataclass(frozen=True, kw_only=True)
class StackConfig:
    """All that a stack's configuration says."""

    settings: Settings
    secrets: SecretValues | None
    identity: str
    """Tells the stack from all others that deploy to the same cluster."""


def load_config(root: Path) -> StackConfig:
    """Returns the validated configuration of the selected stack.

    Args:
        root: The project's folder, with the stack's file and `.local/settings.<stack>.json`.

    Raises:
        SettingsError: Something is missing, unknown or out of range; the message says what is
            allowed.
    """
    config = pulumi.Config("todo")
    _refuse_unknown_keys()
    try:
        tree = config.get_object("settings")
    except pulumi.ConfigTypeError:
        tree = config.get("settings")
    if tree is None:
        raise SettingsError(
            f"todo:settings is missing in Pulumi.{pulumi.get_stack()}.yaml; "
            "copy it from Pulumi.minikube.yaml or Pulumi.cloud.yaml"
        )
    found = found_file(pulumi.get_stack())
    settings = parse_settings(tree, _read_found(root, found), str(found))
    return StackConfig(
        settings=settings,
        secrets=_read_secrets(config, settings),
        identity=stack_identity(root / f"Pulumi.{pulumi.get_stack()}.yaml"),
    )


def stack_identity(path: Path) -> str:
    """Returns organization, project and stack, and what tells clones with those names apart.

    Pulumi Cloud has each full name once. With a state of one's own the organization is always
    `organization`, and each clone may have a stack `minikube`; but each has its own random salt, or
    an encrypted key, in the stack's file.

    Args:
        path: The stack's file.
    """
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    file: object = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None
    random = _get(file, "encryptionsalt") or _get(file, "encryptedkey")
    return f"{name}/{hashlib.sha256(str(random).encode()).hexdigest()[:12]}" if random else name


def parse_settings(tree: object, found: object = None, found_in: str = FOUND) -> Settings:
    """Validates a settings tree, with what was found out for a local stack filled in.

    Args:
        tree: The value of `todo:settings`.
        found: What `make up` found out; ignored unless `cluster.kind` is `local`.
        found_in: The file with it, for messages.

    Raises:
        SettingsError: The tree is not valid, or says something else than what was found out.
    """
    if found is not None and _is_local(tree):
        if lines := list(_contradictions(tree, found, "todo:settings", found_in)):
            raise SettingsError("invalid settings\n" + "\n".join(f"  {line}" for line in lines))
        merged = fill(tree, found)
    else:
        merged, found = tree, None
    try:
        return Settings.model_validate(merged, by_alias=True, by_name=False, context="file")
    except ValidationError as error:
        lines = list(_explain(error, merged, found, found_in))
    raise SettingsError("invalid settings\n" + "\n".join(f"  {line}" for line in lines))


def fill(tree: object, found: object) -> object:
    """Fills what a tree leaves open, deeply; a block of another `mode` is left as it is."""
    if not isinstance(tree, Mapping) or not isinstance(found, Mapping):
        return cast("object", tree)
    given, more = cast("Mapping[str, object]", tree), cast("Mapping[str, object]", found)
    if "mode" in given and "mode" in more and given["mode"] != more["mode"]:
        return given
    left_open = {key: value for key, value in more.items() if given.get(key) is None}
    return {**{key: fill(value, more.get(key)) for key, value in given.items()}, **left_open}


def _contradictions(tree: object, found: object, where: str, found_in: str) -> Iterator[str]:
    """Yields a sentence for each value that the stack file and `make up` say differently."""
    if isinstance(tree, Mapping) and isinstance(found, Mapping):
        given, more = cast("Mapping[str, object]", tree), cast("Mapping[str, object]", found)
        modes = given.get("mode"), more.get("mode")
        keys = ["mode"] if None not in modes and modes[0] != modes[1] else [*more]
        for key in keys:
            if given.get(key) is not None:
                yield from _contradictions(given[key], more[key], f"{where}.{key}", found_in)
    elif tree != found:
        yield (
            f"{where} is {tree!r} in the stack file, but {found!r} in {found_in}, where `make up` "
            "wrote what it found out; run `make up`, which looks again and lets the stack file win"
        )


def _is_local(tree: object) -> bool:
    return _get(_get(tree, "cluster"), "kind") == "local"


def _read_found(root: Path, file: Path) -> object:
    try:
        return json.loads((root / file).read_text(encoding="utf-8"))
    except FileNotFoundError:
        if (root / _BEFORE).exists():
            raise SettingsError(
                f"{_BEFORE} was written for all stacks together, and may be about another "
                "cluster; run `make up` once, which writes a file for each stack"
            ) from None
        return None
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{file} cannot be read as JSON ({error}); delete it and run `make up` again"
        ) from None


def _refuse_unknown_keys() -> None:
    allowed = {"settings", *_SECRETS}
    # The SDK has no public way to list keys; these two are what Config.get itself reads.
    keys = {*runtime_config.CONFIG.get(), *runtime_config.get_config_env()}
    unknown = sorted(
        k for k in keys if k.startswith("todo:") and k.removeprefix("todo:") not in allowed
    )
    if unknown:
        known = ", ".join(f"todo:{key}" for key in ("settings", *_SECRETS))
        raise SettingsError(f"unknown configuration key {', '.join(unknown)}; allowed: {known}")


def _read_secrets(config: pulumi.Config, settings: Settings) -> SecretValues | None:
    if settings.secrets.mode == "external":
        return None
    values: dict[str, pulumi.Output[str] | None] = {}
    for key, generator in _SECRETS.items():
        present = config.get(key) if runtime_config.is_config_secret(f"todo:{key}") else None
        if present is None and (generator or runtime_config.get_config(f"todo:{key}") is not None):
            value = f'"$({generator})"' if generator else "<value>"
            state = "is not encrypted" if runtime_config.get_config(f"todo:{key}") else "is missing"
            raise SettingsError(
                f"the secret todo:{key} {state}; set it with: "
                f"pulumi config set --secret todo:{key} {value}"
            )
        values[key] = config.require_secret(key) if present else None
    return SecretValues(
        database_password=config.require_secret("databasePassword"),
        jwt_key=config.require_secret("jwtKey"),
        jwt_next_key=values["jwtNextKey"],
        jwt_previous_key=values["jwtPreviousKey"],
        chat_api_key=values["chatApiKey"],
    )


def _explain(error: ValidationError, tree: object, found: object, found_in: str) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        path = _path(problem["loc"], tree, missing=problem["type"] == "missing")
        where = "todo:settings" + "".join(map(_step, path))
        value, context = problem["input"], problem.get("ctx", {})
        message = problem["msg"].removeprefix("Value error, ")
        shown = f" is {_shown(value)}"
        if problem["type"] == "union_tag_invalid":
            where, shown = f"{where}.mode", f" is {context['tag']!r}"
            if context["tag"] == "None":
                shown, message = "", "field required: "
            else:
                message = ""
            message += f"expected {context['expected_tags']}"
        elif problem["type"] in _NO_BLOCK:
            message = "expected a block of settings"
        elif problem["type"] == "missing" or (
            # What is wrong inside a block is said with the values.
            isinstance(value, Mapping) and problem["type"] in ("value_error", "unknown_setting")
        ):
            shown = ""
        origin = f" (from {found_in})" if found is not None and _holds(found, path) else ""
        yield f"{where}{shown}: {message[0].lower()}{message[1:]}{origin}"


_NO_BLOCK = ("model_type", "model_attributes_type", "dict_type")


def _shown(value: object) -> str:
    """Returns a value on one short line, without the password of an address."""
    text = re.sub(r"//[^/@\s]*@", "//…@", repr(value))
    return text if len(text) <= 100 else f"{text[:80]}… ({len(text)} characters)"


def _step(step: int | str) -> str:
    if isinstance(step, str) and re.fullmatch(r"[A-Za-z0-9_-]+", step):
        return f".{step}"
    # As `pulumi config set --path` wants other keys.
    return f"[{json.dumps(step)}]"


def _path(location: tuple[int | str, ...], tree: object, *, missing: bool) -> list[int | str]:
    """Drops what pydantic puts between the keys: union tags, and `[key]` after a wrong key."""
    path: list[int | str] = []
    here: object = tree
    for index, step in enumerate(location):
        if step != "mode" and _get(here, "mode") == step:
            continue
        if not _has(here, step) and not (missing and index == len(location) - 1):
            continue
        path.append(step)
        here = _get(here, step)
    return path


def _get(tree: object, step: int | str) -> object:
    """Returns what is at a key or an index, or None."""
    if isinstance(tree, Mapping):
        return cast("Mapping[int | str, object]", tree).get(step)
    if isinstance(tree, list) and isinstance(step, int):
        items = cast("list[object]", tree)
        return items[step] if step < len(items) else None
    return None


def _has(tree: object, step: int | str) -> bool:
    if isinstance(tree, Mapping):
        return step in tree
    return isinstance(tree, list) and isinstance(step, int)


def _holds(tree: object, path: list[int | str]) -> bool:
    for step in path:
        if not isinstance(tree, Mapping) or step not in tree:
            return False
        tree = _get(cast("object", tree), step)
    return bool(path)
