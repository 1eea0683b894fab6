"""Find each tool, else install it from its maker, else build it from published Go modules."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import shutil
import tempfile
import urllib.request
from functools import cache
from pathlib import Path

from console.failure import Failure
from distribution import recipes
from toolchain import files, internet, packages, paths, ui

_OLDEST_PULUMI = (3, 259, 0)
_INSTALLER = "https://get.pulumi.com/"
RECIPES = ("pulumi", "plugins", "language-python")
_PLUGINS = (
    ("kubernetes", recipes.PULUMI_KUBERNETES),
    ("docker-build", recipes.PULUMI_DOCKER_BUILD),
)
_BESIDE = (
    "pulumi",
    "pulumi-language-python",
    "pulumi-language-python-exec",
    "pulumi-resource-pulumi-python",
)
"""What stands together as in the official archive, of what recipe `pulumi` makes."""
_HOST = "pulumi-python-host"
"""What `pulumi-language-python` looks for beside itself: the host of recipe `language-python`."""
_LINTERS = {
    "kube-score": (recipes.KUBE_SCORE, "version"),
    "actionlint": (recipes.ACTIONLINT, "-version"),
}
"""Versions of the linters that PyPI does not have, and how each is asked for its own."""


def pulumi_on_path() -> str | None:
    """Returns the version of a Pulumi CLI of the user's own that is new enough, or None."""
    found = shutil.which("pulumi", path=_path_without_ours())
    version = _version_of(found) if found else None
    if found and version and version >= _OLDEST_PULUMI:
        return ".".join(map(str, version))
    return None


def builds_pulumi() -> bool:
    """Returns whether the CLI and its plugins are built here, as the last resort.

    Then the Python packages are held to the versions of those plugins. For any other Pulumi the
    plugins of the newest packages are fetched. What was once built or installed stays: an outage
    does not change versions.
    """
    if pulumi_on_path() or (_official_home() / "bin" / "pulumi").exists():
        return False
    return not recipes.missing(("pulumi",)) or not internet.answers(_INSTALLER)


def runs_built() -> bool:
    """Returns whether the Pulumi that runs here is one that was built, as `ensure_pulumi` left it.

    Nothing is asked but this machine's files.
    """
    return (paths.BIN / "pulumi").resolve().is_relative_to((paths.cache() / "built").resolve())


def ensure_pulumi() -> None:
    """Makes the Pulumi CLI, its Python host and its plugins available in `.local/bin`.

    Raises:
        Failure: They can neither be found, nor installed, nor built.
    """
    if version := pulumi_on_path():
        _step_back()
        ui.say(f"  pulumi {version}: found on PATH; its plugins are fetched by Pulumi itself")
        return
    if _official_pulumi():
        return
    recipes.build_missing(RECIPES)
    files.link_programs(_distribution().iterdir())
    for plugin, version in _PLUGINS:
        program = paths.pulumi_plugin(plugin, version)
        files.place(recipes.output("plugins") / program.name, program)
    ui.say(
        f"  pulumi {recipes.PULUMI}, Python host, plugins kubernetes and docker-build: built from "
        "Go modules"
    )


def ensure_browser() -> None:
    """Finds a Chromium for the end-to-end tests.

    Raises:
        Failure: There is none and it cannot be installed here.
    """
    if (
        not any(shutil.which(name) for name in ("chromium", "google-chrome"))
        and "CHROMIUM" not in os.environ
    ):
        packages.install(["chromium"], why="The end-to-end tests")


def linter(name: str) -> Path | None:
    """Returns a linter of the pinned version (another finds other things).

    On PATH, else built, else None.
    """
    version, question = _LINTERS[name]
    found = shutil.which(name)
    if found and version in re.findall(r"[\d.]+", ui.capture([found, question]) or ""):
        return Path(found)
    return recipes.output(name) / name if recipes.built(name) else None


def ensure_linters() -> None:
    """Builds the linters that are not there.

    The tests do without one, and say so, where that fails.
    """
    for name, (version, _) in _LINTERS.items():
        if linter(name) is None:
            try:
                recipes.build_missing((name,))
            except Failure as failure:
                ui.say(f"  {name}: left out of the tests, because {failure}")
                continue
        ui.say(f"  {name} {version}: up to date")


def helm() -> Path | None:
    """Returns Helm: on PATH, else built, else None."""
    found = shutil.which("helm")
    if found:
        return Path(found)
    return recipes.output("helm") / "helm" if recipes.built("helm") else None


def ensure_helm() -> None:
    """Finds Helm, or builds it where that costs little.

    This program is measured beside it, and the chart that is exported is tested with it.
    """
    if shutil.which("helm", path=_path_without_ours()):
        (paths.BIN / "helm").unlink(missing_ok=True)  # which would come first
        ui.say("  helm: found on PATH")
        return
    if not recipes.built("plugins"):
        ui.say("  helm: not on PATH, so what needs it is left out")
        return
    try:
        recipes.build_missing(("helm",))
    except Failure as failure:
        ui.say(f"  helm: what needs it is left out, because {failure}")
        return
    files.link_programs([recipes.output("helm") / "helm"])
    ui.say("  helm: built from Go modules")


def ensure_signing() -> None:
    """Finds what signs images and writes their bills of materials, or builds it.

    Raises:
        Failure: It is neither on PATH nor can be built.
    """
    for name, version in (("cosign", recipes.COSIGN), ("syft", recipes.SYFT)):
        if shutil.which(name, path=_path_without_ours()):
            (paths.BIN / name).unlink(missing_ok=True)  # which would come first
            ui.say(f"  {name}: found on PATH")
            continue
        recipes.build_missing((name,))
        files.link_programs([recipes.output(name) / name])
        ui.say(f"  {name} {version}: built from Go modules")


def _distribution() -> Path:
    """Returns the folder of the CLI with its host and scripts, named after what is in it."""
    pulumi, host = (recipes.output(name) for name in ("pulumi", "language-python"))
    digest = hashlib.sha256(f"{pulumi.name} {host.name}".encode()).hexdigest()
    target = paths.cache() / "built" / f"distribution-{digest[:12]}"
    for name in _BESIDE:
        files.place(pulumi / name, target / name)
    files.place(host / "pulumi-language-python", target / _HOST)
    return target


def _official_pulumi() -> bool:
    """Returns the newest Pulumi from its own installer.

    A version that it has installed before stays.
    """
    home = _official_home()
    if not (home / "bin" / "pulumi").exists():
        if builds_pulumi():
            return False
        _install_official(home)
    files.link_programs((home / "bin").iterdir())
    version = ui.capture([home / "bin" / "pulumi", "version"]) or ""
    ui.say(
        f"  pulumi {version.strip().removeprefix('v')}: from its official installer; its plugins "
        "are fetched by Pulumi itself"
    )
    return True


def _install_official(home: Path) -> None:
    """Runs the installer; interrupted, there is no Pulumi whose companions are missing."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=f".{home.name}-") as scratch:
        script, made = Path(scratch, "install.sh"), Path(scratch, "made")
        try:
            with urllib.request.urlopen(_INSTALLER, timeout=30) as answer:
                script.write_bytes(answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise Failure(
                f"Pulumi's installer cannot be fetched from {_INSTALLER} ({error}); see that the "
                "network leads there, or install Pulumi, and run again"
            ) from None
        made.mkdir()
        ui.run(
            ["sh", script, "--install-root", made, "--no-edit-path"],
            log=paths.LOCAL / "log" / "pulumi.log",
            what="installing Pulumi",
        )
        shutil.rmtree(home, ignore_errors=True)
        made.rename(home)


def _official_home() -> Path:
    return paths.cache() / "pulumi-official"


def _step_back() -> None:
    """Takes our own CLI and its companions from in front of the user's.

    Our folder comes first on PATH.
    """
    for name in (*_BESIDE, _HOST):
        (paths.BIN / name).unlink(missing_ok=True)


@cache
def _version_of(pulumi: str) -> tuple[int, ...] | None:
    """Returns a CLI's version, which is asked for once: each time takes a good part of a second."""
    return _version(ui.capture([pulumi, "version"]))


def _version(text: str | None) -> tuple[int, ...] | None:
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", text or "")
    return tuple(int(g) for g in match.groups()) if match else None


def _path_without_ours() -> str:
    return os.pathsep.join(
        p for p in os.environ.get("PATH", "").split(os.pathsep) if Path(p) != paths.BIN
    )
