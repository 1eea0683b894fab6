"""A docker context for a Minikube's inner Docker, beside all that the person's CLI knows.

The Docker CLI reads one folder (`$DOCKER_CONFIG`, else `~/.docker`). The build plugin takes a
docker context as the builder, so ours has to be in that folder; in order to write nothing into the
person's, `.local/docker` links to everything of theirs, credentials, plugins, builders and contexts
included, and has ours beside it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from toolchain import paths
from toolchain.providers import user_environment

_TLS = ("ca.pem", "cert.pem", "key.pem")


def called(profile: str) -> str:
    """Returns the name of the context for a Minikube profile.

    One that the person has under the same name stays theirs.
    """
    name = f"todo-{profile}"
    theirs_is = user_environment.docker_config() / "contexts" / "meta" / _digest(name)
    return f"{name}-of-this-clone" if theirs_is.exists() else name


def write(name: str, host: str, certificates: Path) -> None:
    """Makes or renews a context.

    The format is the Docker CLI's own
    (https://github.com/docker/cli/tree/master/cli/context/store): folders named after the SHA-256
    of the context's name.

    Args:
        name: The context.
        host: The daemon: `tcp://…`.
        certificates: The folder with ca.pem, cert.pem and key.pem.
    """
    meta, tls = _folders(name)
    endpoint = {"Host": host, "SkipTLSVerify": False}
    text = json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": endpoint}})
    for folder in (meta, tls / "docker"):
        folder.mkdir(parents=True, exist_ok=True)
    for file in _TLS:
        target = tls / "docker" / file
        target.touch(mode=0o600)
        target.write_bytes((certificates / file).read_bytes())
    (meta / "meta.json").write_text(text)


def exists(name: str) -> bool:
    """Returns whether this clone has made such a context."""
    meta, _ = _folders(name)
    return (meta / "meta.json").exists() and not meta.is_symlink()


def remove(name: str) -> None:
    """Forgets a context that this clone has made."""
    if exists(name):
        for folder in _folders(name):
            shutil.rmtree(folder, ignore_errors=True)


def mirror() -> None:
    """Links to everything of the person's Docker CLI, as it is now.

    What this clone has made stays beside it.
    """
    ours, person = paths.DOCKER_CONFIG, user_environment.docker_config()
    ours.mkdir(parents=True, exist_ok=True)
    _link(person, ours, apart=frozenset({"contexts"}))
    for kind in ("meta", "tls"):
        (ours / "contexts" / kind).mkdir(parents=True, exist_ok=True)
        _link(person / "contexts" / kind, ours / "contexts" / kind)
    config = ours / "config.json"
    if person.is_dir() and not config.exists() and not config.is_symlink():
        # `docker login` writes through a link that leads nowhere yet: into the person's folder, as
        # ever.
        config.symlink_to(person / "config.json")


def _link(source: Path, target: Path, apart: frozenset[str] = frozenset()) -> None:
    """Makes one folder's links lead to all that is in another."""
    there = {it.name for it in source.iterdir()} - apart if source.is_dir() else set[str]()
    for entry in target.iterdir():
        if entry.is_symlink() and entry.name not in there and entry.name != "config.json":
            entry.unlink()
    for name in there:
        link = target / name
        if link.is_symlink():
            if link.readlink() == source / name:
                continue
            link.unlink()
        elif link.exists():
            # Docker itself has made it here while the person had none: theirs is what counts from
            # now on.
            _aside(link)
        link.symlink_to(source / name)


def _aside(entry: Path) -> None:
    number = 1
    while (kept := paths.DOCKER_CONFIG / f"{entry.name}.before-{number}").exists():
        number += 1
    entry.rename(kept)


def _folders(name: str) -> tuple[Path, Path]:
    contexts = paths.DOCKER_CONFIG / "contexts"
    return contexts / "meta" / _digest(name), contexts / "tls" / _digest(name)


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
