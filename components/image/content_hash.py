"""The hash of what an image is built from, which is its tag."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pulumi


def content_hash(context: Path, build_args: Mapping[str, str], target: str | None = None) -> str:
    """Returns 16 hex digits of everything an image is built from.

    Args:
        context: The build context; what its `.dockerignore` excludes does not count.
        build_args: The build arguments, the base images among them.
        target: The stage of the Dockerfile; None: the last.

    Raises:
        pulumi.RunError: The folder has no Dockerfile.
    """
    if not (context / "Dockerfile").is_file():
        raise pulumi.RunError(
            f"{context}/Dockerfile is missing; run pulumi in the project's folder"
        )
    # Only here: it takes a tenth of a second to import, also where nothing is built.
    from docker.utils.build import exclude_paths

    ignore = context / ".dockerignore"
    lines = ignore.read_text(encoding="utf-8").splitlines() if ignore.is_file() else []
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    digest = hashlib.sha256()
    for key, value in sorted(build_args.items()):
        digest.update(f"arg {key}={value}\0".encode())
    if target is not None:
        digest.update(f"target {target}\0".encode())
    for path in sorted(exclude_paths(str(context), patterns, dockerfile="Dockerfile")):
        file = context / path
        if file.is_symlink():
            digest.update(f"link {path} {file.readlink()}\0".encode())
        elif file.is_file():
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            executable = bool(file.stat().st_mode & 0o100)
            digest.update(f"file {path} {executable} {content}\0".encode())
    return digest.hexdigest()[:16]
