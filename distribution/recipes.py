"""How each tool is built from published Go modules.

The last resort where no installer can be reached.

Every recipe builds programs of a folder below `modules/`, whose `go.mod` and `go.sum` pin versions
and sums. What shares packages shares a folder, or at least the versions of what it shares, since
Go compiles a package once for each set of versions: Pulumi, its host, its plugins and BuildKit; all
programs of a cluster. What a recipe makes is kept (`store.py`) under a digest of that folder
and of the recipe.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from distribution import golang, store
from toolchain import paths, ui

KUBERNETES = "v1.34.4"
PULUMI = "v3.274.1"
PULUMI_KUBERNETES = "4.25.0"
PULUMI_DOCKER_BUILD = "0.0.22"
METRICS_SERVER = "v0.9.0"
PROMETHEUS = "3.16.0"
KUBE_STATE_METRICS = "v2.20.0"
ENVOY_GATEWAY = "v1.9.1"
REGISTRY = "v3.1.2"
VICTORIA_LOGS = "v1.52.1"
EXTERNAL_SECRETS = "v0.16.2"
COSIGN = "v3.1.3"
SYFT = "1.57.1"
CLOUD_NATIVE_PG = "1.30.0"
KUBE_SCORE = "1.20.0"
ACTIONLINT = "1.7.12"
VERSITYGW = "v1.8.0"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One `go build`: the module folder, the packages, the linker's `-X` settings.

    Attributes:
        minutes: How long it takes where nothing is cached, on 2 cores.
        tags: Build tags, by which a program leaves out what nobody here uses.
        generated: Files that a module's release has generated, by where the sources want them:
            the module and the file in it.
        scripts: Files of modules that go with the programs as they are: the module and the file.
    """

    module: str
    packages: tuple[str, ...]
    minutes: float
    variables: tuple[str, ...] = ()
    generated: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    scripts: tuple[tuple[str, str], ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the programs and scripts it leaves in its output folder."""
        return tuple(
            it.rsplit("/", 1)[-1]
            for it in (*map(_without_version, self.packages), *(s for _, s in self.scripts))
        )


def _without_version(package: str) -> str:
    """Returns a package's path as Go names the program by it: without a module's `/v2`."""
    return re.sub("/v[0-9]+$", "", package)


_HINT = "check that a Go module proxy can be reached (go env GOPROXY) and run again"
_K8S = "k8s.io/component-base/version"
_PULUMI_SDK = "github.com/pulumi/pulumi/sdk/v3"
RECIPES = {
    "pulumi": Recipe(
        module="pulumi",
        packages=(
            "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
            "./pulumi-language-python",
        ),
        variables=(f"{_PULUMI_SDK}/go/common/version.Version={PULUMI}",),
        scripts=(
            (_PULUMI_SDK, "python/cmd/pulumi-language-python-exec"),
            (_PULUMI_SDK, "python/dist/pulumi-resource-pulumi-python"),
        ),
        minutes=3.5,
    ),
    "plugins": Recipe(
        module="plugins",
        packages=("./pulumi-resource-kubernetes", "./pulumi-resource-docker-build"),
        variables=(
            f"main.version={PULUMI_KUBERNETES}",
            f"github.com/pulumi/pulumi-docker-build/provider.Version={PULUMI_DOCKER_BUILD}",
        ),
        generated={
            f"pulumi-resource-kubernetes/{name}": (
                "github.com/pulumi/pulumi-kubernetes/provider/v4",
                f"cmd/pulumi-resource-kubernetes/{name}",
            )
            for name in ("schema.json", "terraform-mapping.json")
        },
        minutes=4.5,
    ),
    "language-python": Recipe(
        module="language-python",
        packages=("github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python",),
        minutes=0.1,
    ),
    "kubernetes": Recipe(
        module="kubernetes",
        packages=(
            *(
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
            "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router",
            "./coredns",
            "./volume-provisioner",
            "./pause",
        ),
        variables=(f"{_K8S}.gitVersion={KUBERNETES}", f"{_K8S}.gitMajor=1", f"{_K8S}.gitMinor=34"),
        minutes=4,
    ),
    "buildkit": Recipe(
        module="plugins",
        packages=(
            "github.com/moby/buildkit/cmd/buildkitd",
            "github.com/moby/buildkit/cmd/buildctl",
        ),
        minutes=0.5,
    ),
    # A peer that is measured; the Kubernetes plugin brings most of it.
    "helm": Recipe(module="plugins", packages=("helm.sh/helm/v3/cmd/helm",), minutes=0.5),
    "metrics-server": Recipe(
        module="metrics-server",
        packages=("sigs.k8s.io/metrics-server/cmd/metrics-server",),
        variables=(f"sigs.k8s.io/metrics-server/pkg/version.gitVersion={METRICS_SERVER}",),
        minutes=1.5,
    ),
    "envoy-gateway": Recipe(
        module="envoy-gateway",
        packages=("github.com/envoyproxy/gateway/cmd/envoy-gateway",),
        variables=(
            f"github.com/envoyproxy/gateway/internal/cmd/version.envoyGatewayVersion={ENVOY_GATEWAY}",
        ),
        minutes=7,
    ),
    # Prometheus numbers its module v0.316.0. Of the ways to find what it asks, Kubernetes' alone.
    "prometheus": Recipe(
        module="prometheus",
        packages=tuple(
            f"github.com/prometheus/prometheus/cmd/{name}" for name in ("prometheus", "promtool")
        ),
        variables=(f"github.com/prometheus/common/version.Version={PROMETHEUS}",),
        tags=("remove_all_sd", "enable_kubernetes_sd"),
        minutes=4,
    ),
    "kube-state-metrics": Recipe(
        module="kube-state-metrics",
        packages=("k8s.io/kube-state-metrics/v2",),
        variables=(f"github.com/prometheus/common/version.Version={KUBE_STATE_METRICS}",),
        minutes=3,
    ),
    # Without the storage of clouds.
    "registry": Recipe(
        module="registry",
        packages=("./registry",),
        variables=(f"github.com/distribution/distribution/v3/version.version={REGISTRY}",),
        minutes=0.5,
    ),
    "victoria-logs": Recipe(
        module="victoria-logs",
        packages=(
            "github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs",
            "github.com/VictoriaMetrics/VictoriaLogs/app/vlagent",
        ),
        variables=(
            f"github.com/VictoriaMetrics/VictoriaMetrics/lib/buildinfo.Version={VICTORIA_LOGS}",
        ),
        minutes=1,
    ),
    "external-secrets": Recipe(
        module="external-secrets",
        packages=("github.com/external-secrets/external-secrets",),
        minutes=7,
    ),
    # An S3 store, for the tests of backups that leave the cluster.
    "versitygw": Recipe(
        module="versitygw",
        packages=("github.com/versity/versitygw/cmd/versitygw",),
        variables=(f"main.Version={VERSITYGW}",),
        minutes=1,
    ),
    # Sign images and write their bills of materials.
    "cosign": Recipe(
        module="cosign",
        packages=("github.com/sigstore/cosign/v3/cmd/cosign",),
        variables=(f"sigs.k8s.io/release-utils/version.gitVersion={COSIGN}",),
        minutes=2.5,
    ),
    "syft": Recipe(
        module="syft",
        packages=("github.com/anchore/syft/cmd/syft",),
        variables=(f"main.version={SYFT}",),
        minutes=4,
    ),
    # CloudNativePG: the operator, and the program that it puts into each PostgreSQL pod.
    "cloudnative-pg": Recipe(
        module="cloudnative-pg",
        packages=("github.com/cloudnative-pg/cloudnative-pg/cmd/manager",),
        variables=(
            f"github.com/cloudnative-pg/cloudnative-pg/pkg/versions.buildVersion={CLOUD_NATIVE_PG}",
        ),
        minutes=4,
    ),
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
    """Returns the folder that holds (or will hold) the programs of recipe `name`."""
    recipe = RECIPES[name]
    made_from = (recipe.packages, recipe.variables, recipe.generated, recipe.scripts)
    digest = hashlib.sha256(repr(made_from).encode())
    if recipe.tags:
        digest.update(repr(recipe.tags).encode())
    folder = paths.MODULES / recipe.module
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        inside = file.relative_to(folder).as_posix()
        if inside not in recipe.generated:
            digest.update(inside.encode() + file.read_bytes())
    return store.place(name, digest.hexdigest())


def built(name: str) -> bool:
    """Returns whether recipe `name` was built completely, or taken from the shared cache."""
    return store.has(output(name), RECIPES[name].files)


def missing(names: Sequence[str]) -> list[str]:
    """Returns the recipes of `names` that have to be built here.

    Raises:
        Failure: The shared cache cannot be read.
    """
    return [it for it in names if store.is_absent(output(it), RECIPES[it].files)]


def build(name: str, position: str = "") -> Path:
    """Builds recipe `name` unless it is cached here or in the shared cache.

    Raises:
        Failure: Go is missing and cannot be installed, a module cannot be fetched, or the build
            fails; or what the shared cache has is not what was built.
    """
    target, recipe = output(name), RECIPES[name]
    if built(name) or store.take(target, recipe.files, mode=0o755):
        return target
    ui.say(
        f"  {position}building {', '.join(recipe.files)} from Go modules, about "
        f"{recipe.minutes:g} min on 2 cores"
    )

    def make(staged: Path) -> None:
        with tempfile.TemporaryDirectory() as source, _work_folder() as work:
            shutil.copytree(paths.MODULES / recipe.module, source, dirs_exist_ok=True)
            _copy_published(recipe, Path(source), staged)
            flags = " ".join(["-s", "-w", *(f"-X {v}" for v in recipe.variables)])
            ui.run(
                [
                    *(golang.command(), "build", "-trimpath", "-gcflags=all=-dwarf=false"),
                    *_tags(recipe),
                    *("-ldflags", flags, "-o", f"{staged}/", *recipe.packages),
                ],
                log=paths.cache() / "log" / f"{name}.log",
                what=f"building {name}",
                cwd=Path(source),
                env=_environment() | {"GOTMPDIR": work},
                hint=_HINT,
            )

    store.keep(target, make)
    return target


def build_missing(names: Sequence[str]) -> None:
    """Builds the recipes that are not cached, saying which of how many."""
    absent = [n for n in names if not built(n)]
    for position, name in enumerate(absent, 1):
        build(name, f"[{position}/{len(absent)}] ")


def fetch(names: Sequence[str]) -> None:
    """Fetches the modules of recipes ahead of their builds.

    Raises:
        Failure: A module cannot be fetched.
    """
    for name in names:
        ui.run(
            [
                *(golang.command(), "list", "-e", "-deps", "-f", ""),
                *_tags(RECIPES[name]),
                *RECIPES[name].packages,
            ],
            log=paths.cache() / "log" / f"{name}.log",
            what=f"fetching {name}'s modules",
            cwd=paths.MODULES / RECIPES[name].module,
            env=_environment(),
            hint=_HINT,
        )


def _tags(recipe: Recipe) -> list[str]:
    return ["-tags", ",".join(recipe.tags)] if recipe.tags else []


def _environment() -> dict[str, str]:
    """Returns the environment of a build; what a person has set of Go's memory stays."""
    return {
        **_memory(),
        **os.environ,
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOWORK": "off",
    }


def _memory() -> dict[str, str]:
    """Returns how the compiler uses this machine's memory.

    It collects garbage only where it would need more than a limit, 2 GiB where there is room, which
    few packages need: a fifth less to compute. Go runs one compiler a core, and half the memory is
    for all else; where that leaves less than 1 GiB to each, Go's own ways are the quicker.
    """
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    mebibytes = memory // (2 * (os.cpu_count() or 1)) // 2**20
    if mebibytes < 1024:
        return {}
    return {"GOGC": "off", "GOMEMLIMIT": f"{min(mebibytes, 2048)}MiB"}


def _work_folder() -> tempfile.TemporaryDirectory[str]:
    """Returns a folder for the compiler's work, which Go leaves behind when it is interrupted."""
    return tempfile.TemporaryDirectory(
        dir=os.environ.get("GOTMPDIR") or None, ignore_cleanup_errors=True
    )


def _copy_published(recipe: Recipe, source: Path, staged: Path) -> None:
    """Takes what modules' own releases have beside the sources that are built here."""
    for name, (module, inside) in recipe.generated.items():
        text = golang.module_file(module, inside, pinned_in=recipe.module).read_text()
        if Path(name).name == "schema.json":
            text = json.dumps(json.loads(text) | {"version": PULUMI_KUBERNETES})
        (source / name).write_text(text)
    for module, inside in recipe.scripts:
        script = staged / Path(inside).name
        shutil.copyfile(golang.module_file(module, inside, pinned_in=recipe.module), script)
        script.chmod(0o755)
