"""The check of `validate` that what runs is what was signed, asked of the images' registry."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from cluster_objects.json_tree import Json, part, parts
from ops.contract import Service, Signature
from ops.facts import Facts
from ops.findings import Finding, failed, ok, warning
from ops.repair import REPAIR

_CHECK = "signatures"
_SECONDS = 60
"""How long the registry may take; cosign asks it in some tenths of a second."""
_ASKED = (("verify",), ("verify-attestation", "--type", "cyclonedx"))
"""For the signatures of the image and of its bill of materials (components/image/cosign.py)."""
_REFUSED = re.compile(
    r"no signatures|no matching|none of the attestations|failed to verify(?! certificate: x509)"
    r"|MANIFEST_UNKNOWN|not found in registry"
)
"""What cosign 3 says of images that are not signed by the key; all else keeps it from knowing.

Of an image that is not there at all it says the same (3.1), or what the registry calls that. What
fails to verify may also be the registry's own certificate.
"""
_AGAIN = "then python -m ops validate"
_ADVICE = (
    (
        re.compile(r"x509:|certificate"),
        "set images.signature.caBundle to the authority that signed the registry's certificate, "
        "then pulumi up",
    ),
    (
        re.compile(r"UNAUTHORIZED|DENIED|unauthorized|denied|\b40[13]\b"),
        f"log in to the registry (docker login), {_AGAIN}",
    ),
)
"""What helps by what cosign says; where nothing of it fits, the registry was not reached."""


def signatures(facts: Facts) -> Iterator[Finding]:
    """Every image that runs, and has to, is signed and has a signed bill of materials."""
    wanted = {
        image: it.signature
        for it in facts.stack.contract.services
        if it.signature
        for image in _running(facts, it)
    }
    if not wanted:
        return
    if not shutil.which("cosign"):
        yield warning(
            _CHECK,
            f"those of {len(wanted)} images were not looked at",
            "cosign is not installed on this machine",
            "install cosign 3, then python -m ops validate",
        )
        return
    with ThreadPoolExecutor() as pool:
        found = [*pool.map(_finding, wanted, wanted.values())]
    wrong = [it for it in found if it]
    yield from wrong
    if not wrong:
        yield ok(_CHECK, f"{len(wanted)} images and their bills of materials are signed")


def _running(facts: Facts, service: Service) -> set[str]:
    """Returns the images of a service's pods, and of those that its workload would make.

    Of what somebody puts into pods besides, such as a mesh's proxies, the stack knows nothing.
    """
    template = part(facts.workloads.get(service.name), "spec", "template", "spec")
    staying = [
        it for it in facts.pods_of(service.name) if "deletionTimestamp" not in it["metadata"]
    ]
    pods = [part(pod, "spec") for pod in staying]
    own = {it["name"] for it in _containers(template)}
    found = [it for pod in (template, *pods) for it in _containers(pod)]
    return {str(it["image"]) for it in found if it["name"] in own}


def _containers(pod: Json) -> list[Json]:
    return [*parts(pod, "containers"), *parts(pod, "initContainers")]


def _finding(image: str, signature: Signature) -> Finding | None:
    """Returns what is wrong with an image."""
    if "@sha256:" not in image:
        return failed(
            _CHECK,
            f"{image} runs by a tag, under which it can have been exchanged",
            "somebody changed the workload",
            REPAIR,
        )
    with TemporaryDirectory(prefix="signatures-") as folder:
        for asked in _ASKED:
            said = _said(image, asked, signature, Path(folder))
            if said is None:
                continue
            if _REFUSED.search(said):
                return failed(
                    _CHECK,
                    f"{image} is not signed with the stack's key, or its bill of materials is not",
                    "it was not built by this stack, the key is another by now, or the registry "
                    "has lost it",
                    "pulumi up --refresh, which signs what this stack has built",
                )
            return warning(
                _CHECK,
                f"that of {image} was not looked at",
                f"cosign could not ask the registry: {said}",
                _advice(said),
            )
    return None


def _advice(said: str) -> str:
    fitting = (advice for it, advice in _ADVICE if it.search(said))
    return next(fitting, f"see that this machine reaches the registry, {_AGAIN}")


def _said(image: str, asked: Sequence[str], signature: Signature, folder: Path) -> str | None:
    """Returns why cosign does not accept an image; None: it does."""
    key, trusting = "IMAGE_PUBLIC_KEY", list[str]()
    if signature.ca_bundle:
        authority = folder / "authority.pem"
        authority.write_text(signature.ca_bundle)
        trusting = ["--registry-cacert", str(authority)]
    options = ("--key", f"env://{key}", "--insecure-ignore-tlog", *trusting)
    try:
        done = subprocess.run(  # noqa: S603 - built here, of what the stack's outputs say
            ["cosign", *asked, *options, image],  # noqa: S607 - as on PATH
            env={**os.environ, key: signature.public_key},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return (lines or [f"exit code {done.returncode}"])[-1].removeprefix(
        "error during command execution: "
    )
