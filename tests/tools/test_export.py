"""What is exported is what the program declares, for every stack, and no secret is in it."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from console.failure import ExitCode, Failure
from distribution import recipes
from tests.certificates import authority
from tests.commands import succeeded
from tests.programs import provider_settings, run_program, stack_settings
from tests.recording import ROOT, Recorded, Recording
from toolchain import tools
from tools.export import objects as of_objects
from tools.export.__main__ import exported, main
from tools.export.chart import chart_files
from tools.export.folder import write
from tools.export.objects import Object, StackObjects, objects_of, stack_names, stack_objects

STACKS = stack_names()
KEPT = {
    "argocd.argoproj.io/sync-options",
    "helm.sh/resource-policy",
    "kustomize.toolkit.fluxcd.io/prune",
}
# By the label that is left a ServiceMonitor tells Services apart, whoever has applied them.
_PULUMIS = re.compile(r"pulumi\.com/|todo-kubernetes/|kubernetes-app-components/(?!leads-to)")
_HASHED = re.compile(r"-[0-9a-f]{8}$")


@cache
def recorded(stack: str) -> Recording:
    return run_program(stack_settings(stack), stack=stack)


def objects(recording: Recording) -> list[Recorded]:
    return [
        it
        for it in recording.resources
        if it.type.startswith("kubernetes:") and "apiVersion" in it.inputs and it.kind != "Secret"
    ]


def name_of(resource: Recorded) -> str:
    """The object's name; of one that Pulumi would name, that which the names begin with."""
    return resource.kubernetes_name or resource.name


def declared(recording: Recording) -> dict[tuple[str, str], Any]:
    """What the program declares, but for what only Pulumi reads, by kind and name."""
    pushed = {
        re.sub(r":[^:]*$", "@sha256:" + "0" * 64, tag): tag
        for it in recording.of("Image")
        for tag in it.inputs.get("tags") or ()
    }

    def plain(tree: Any) -> Any:
        if isinstance(tree, dict):
            entries = cast("dict[str, Any]", tree).items()
            return {
                key: plain(it)
                for key, it in entries
                if not _PULUMIS.match(key) and key != "app.kubernetes.io/managed-by"
            }
        if isinstance(tree, list):
            return [plain(it) for it in cast("list[Any]", tree)]
        if isinstance(tree, str):
            return pushed.get(tree, tree).removesuffix("-1a2b3c4d")
        return tree

    found: dict[tuple[str, str], Any] = {}
    for it in objects(recording):
        manifest = plain(it.inputs)
        manifest["metadata"]["name"] = name_of(it)
        if not manifest["metadata"].get("annotations"):
            manifest["metadata"].pop("annotations", None)
        found[it.kind, name_of(it)] = manifest
    return found


def given(manifests: Sequence[Any], recording: Recording) -> dict[tuple[str, str], Any]:
    """What was exported, without what keeps objects, and without hashes in names."""
    hashed = {it.name for it in objects(recording) if it.kubernetes_name is None}

    def unhashed(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {key: unhashed(it) for key, it in cast("dict[str, Any]", tree).items()}
        if isinstance(tree, list):
            return [unhashed(it) for it in cast("list[Any]", tree)]
        base = _HASHED.sub("", tree) if isinstance(tree, str) else tree
        return base if base in hashed else tree

    found: dict[tuple[str, str], Any] = {}
    for it in manifests:
        manifest = unhashed(it)
        annotations = manifest["metadata"].pop("annotations", {})
        own = {key: value for key, value in annotations.items() if key not in KEPT}
        if own:
            manifest["metadata"]["annotations"] = own
        key = manifest["kind"], manifest["metadata"]["name"]
        assert key not in found
        found[key] = manifest
    return found


@pytest.fixture(scope="module")
def helm() -> Path:
    program = tools.helm()
    if program is None:
        pytest.skip("there is no Helm; `make test` builds it where Pulumi's plugins were built too")
    return program


@pytest.fixture(scope="module")
def kubectl() -> Path:
    program = shutil.which("kubectl")
    if program is None and recipes.built("kubernetes"):
        program = str(recipes.output("kubernetes") / "kubectl")
    if program is None:
        pytest.skip("there is no kubectl")
    return Path(program)


@pytest.fixture(scope="module", params=STACKS)
def export(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stack's export, as `make export` writes it."""
    folder = tmp_path_factory.mktemp("export") / request.param
    main(["--stack", request.param, "--out", str(folder)])
    return folder


def run(*command: object) -> str:
    done = subprocess.run(
        [str(it) for it in command], capture_output=True, text=True, check=False, timeout=900
    )
    return succeeded(done)


def manifests(text: str) -> list[Any]:
    return [it for it in yaml.safe_load_all(text) if it]


def rendered(helm: Path, chart: Path, namespace: str, *options: object) -> list[Any]:
    at = ("--namespace", namespace)
    return manifests(run(helm, "template", "todo", chart, *at, *options))


@pytest.mark.parametrize("stack", STACKS)
def test_the_chart_with_a_stacks_values_gives_what_the_program_declares_for_it(
    export: Path, stack: str, helm: Path
) -> None:
    """Whichever stack was exported: its values are the chart's own, and others' lie over them."""
    recording = recorded(stack)
    values = ("--values", export / f"chart/values-{stack}.yaml")
    found = rendered(helm, export / "chart", recording.outputs["namespace"], *values)
    assert given(found, recording) == declared(recording)


def test_the_charts_own_values_are_those_of_the_stack(export: Path, helm: Path) -> None:
    recording = recorded(export.name)
    found = rendered(helm, export / "chart", recording.outputs["namespace"])
    assert given(found, recording) == declared(recording)


def test_kustomize_gives_what_the_program_declares(export: Path, kubectl: Path) -> None:
    recording = recorded(export.name)
    found = manifests(run(kubectl, "kustomize", export / "manifests"))
    assert given(found, recording) == declared(recording)


def test_the_chart_and_the_manifests_give_the_same_names(export: Path, helm: Path) -> None:
    """Those with a hash too, which Helm computes itself."""
    namespace = recorded(export.name).outputs["namespace"]
    files = (export / "manifests").glob("*.yaml")
    plain = [it for file in files for it in manifests(file.read_text()) if "metadata" in it]
    found = rendered(helm, export / "chart", namespace)
    assert by_name(plain) == by_name(found)


def by_name(found: Sequence[Object]) -> dict[tuple[str, str], Object]:
    return {(it["kind"], it["metadata"]["name"]): it for it in found}


@pytest.mark.parametrize("stack", STACKS)
def test_helm_finds_no_fault_with_the_chart(export: Path, stack: str, helm: Path) -> None:
    values = ("--values", export / f"chart/values-{stack}.yaml")
    run(helm, "lint", "--strict", export / "chart", *values)


def test_what_pulumi_keeps_is_kept_by_others_too(export: Path) -> None:
    files = (export / "manifests").glob("*.yaml")
    plain = [it for file in files for it in manifests(file.read_text()) if "metadata" in it]
    kept = {
        name
        for name, it in by_name(plain).items()
        if it["metadata"].get("annotations", {}).keys() >= KEPT
    }
    recording = recorded(export.name)
    assert kept == {
        (it.kind, name_of(it)) for it in objects(recording) if it.retain_on_delete or it.protect
    }
    assert ("Namespace", recording.outputs["namespace"]) in kept


def test_no_secret_is_exported_and_the_readme_says_which_are_needed(export: Path) -> None:
    texts = {it: it.read_text() for it in export.rglob("*") if it.is_file()}
    assert not any("kind: Secret\n" in it or "withheld" in it for it in texts.values())
    text = texts[export / "README.md"]
    recording = recorded(export.name)
    made = {it.inputs["metadata"]["name"] for it in recording.of("ExternalSecret")}
    volumes = [
        it
        for file, found in texts.items()
        if file.parent.name == "manifests"
        for it in volumes_of_secrets(manifests(found))
    ]
    assert volumes
    for volume in volumes:
        if volume["secretName"] in made:
            continue
        [row] = [it for it in text.splitlines() if it.startswith(f"| `{volume['secretName']}` |")]
        keys = [it["key"] for it in volume.get("items") or ()]
        assert all(f"`{key}`" in row for key in keys)
        assert f"create secret generic {volume['secretName']} " in text


def volumes_of_secrets(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        entries = cast("dict[str, Any]", tree)
        if "secretName" in entries:
            yield entries
        for it in entries.values():
            yield from volumes_of_secrets(it)
    elif isinstance(tree, list):
        for it in cast("list[Any]", tree):
            yield from volumes_of_secrets(it)


def test_an_export_is_the_same_every_time() -> None:
    one, other = (objects_of(recorded("minikube"), "minikube") for _ in range(2))
    assert exported(one, [one]) == exported(other, [other])


def test_a_chart_is_changed_where_people_expect_it(export: Path, helm: Path) -> None:
    """Values have short names, and init containers go with their application."""
    changed = ("backend.image=b:1", "backend.replicas=3", "backend.resources.limits.cpu=2")
    values = [it for change in changed for it in ("--set", change)]
    found = by_name(rendered(helm, export / "chart", "elsewhere", *values))
    spec = found["Deployment", "backend"]["spec"]
    pod = spec["template"]["spec"]
    assert spec["replicas"] == 3
    assert {it["image"] for it in (*pod["containers"], *pod["initContainers"])} == {"b:1"}
    assert {it["resources"]["limits"]["cpu"] for it in pod["initContainers"]} == {2}
    assert {it["metadata"].get("namespace") for it in found.values()} == {"elsewhere", None}


def test_an_autoscaler_is_one_value_away_from_a_stack_that_has_none(
    helm: Path, tmp_path: Path
) -> None:
    main(["--stack", "minikube", "--out", str(tmp_path)])
    enabled = ("--set", "backend.horizontalPodAutoscaler.enabled=true,backend.replicas=null")
    found = by_name(rendered(helm, tmp_path / "chart", "todo-app", *enabled))
    assert found["HorizontalPodAutoscaler", "backend"]["spec"]["maxReplicas"] == 10
    assert "replicas" not in found["Deployment", "backend"]["spec"]


def test_clouds_of_every_provider_fit_into_one_chart(helm: Path, tmp_path: Path) -> None:
    runs = {
        it.split(":")[0].lower().replace(" ", "-"): run_program(settings)
        for it, settings in provider_settings().items()
    }
    stacks = [objects_of(recording, stack) for stack, recording in runs.items()]
    write(tmp_path, exported(stacks[0], stacks))
    for stack, recording in runs.items():
        values = ("--values", tmp_path / f"chart/values-{stack}.yaml")
        found = rendered(helm, tmp_path / "chart", "todo-app", *values)
        assert given(found, recording) == declared(recording)


def with_bundle(folder: Path, name: str) -> StackObjects:
    """The cloud stack with a ConfigMap that Pulumi names."""
    settings = stack_settings("cloud")
    settings["database"]["caBundle"] = authority(folder, name)[0].read_text()
    return objects_of(run_program(settings, stack=name), name)


def config_map(found: Sequence[Object]) -> str:
    """The name of the backend's ConfigMap, as its pods mount it."""
    [own] = [it["metadata"]["name"] for it in found if it["kind"] == "ConfigMap"]
    pod = by_name(found)["Deployment", "backend"]["spec"]["template"]["spec"]
    assert {it["configMap"]["name"] for it in pod["volumes"] if "configMap" in it} == {own}
    return own


def test_other_content_of_a_config_map_rolls_the_pods(helm: Path, tmp_path: Path) -> None:
    """By its name, which Helm computes as the export did, whatever the values say."""
    one, other = with_bundle(tmp_path, "one"), with_bundle(tmp_path, "other")
    plain = exported(one, [one, stack_objects("minikube"), other])
    write(tmp_path / "out", plain)
    own = config_map(manifests(plain["manifests/backend.yaml"]))
    chart = tmp_path / "out" / "chart"
    assert config_map(rendered(helm, chart, "todo-app")) == own
    values = ("--values", chart / "values-other.yaml")
    assert config_map(rendered(helm, chart, "todo-app", *values)) != own
    none = by_name(rendered(helm, chart, "todo-app", "--values", chart / "values-minikube.yaml"))
    assert not any(name.startswith("todo-backend-config") for _, name in none)


def database(folder: Path, name: str, settings: dict[str, Any]) -> StackObjects:
    """A stack with this database, run as an export runs it: without the stack's own secrets."""
    stack = stack_settings("minikube") | {"database": settings}
    (folder / f"Pulumi.{name}.yaml").write_text(
        yaml.safe_dump({"config": {"todo:settings": stack}})
    )
    return stack_objects(name)


def commands(folder: Path, readme: str) -> dict[str, bytes]:
    """What the README's commands leave in each file, with `mine` in place of what is a person's."""
    (folder / "mine").write_bytes(b"-----BEGIN\nmine\n-----END\n")
    lines = re.findall(r"^(?:openssl|echo|printf|cat) .*$", readme, re.MULTILINE)
    for line in lines:
        run("sh", "-euc", f"cd {folder}; {line.replace('…', 'mine')}")
    return {it.name: it.read_bytes() for it in folder.iterdir() if it.name != "mine"}


@pytest.mark.parametrize("mode", ["inCluster", "operator"])
def test_backups_in_an_object_store_are_exported_and_their_secrets_asked_for(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator wants role and password in a Secret of its own, the same as the backend's."""
    monkeypatch.setattr(of_objects, "ROOT", tmp_path)
    bundle = authority(tmp_path, "store")[0].read_text()
    store = {"bucket": "abc", "endpoint": "https://s3.example.com", "prefix": "x"}
    store |= {"caBundle": bundle}
    backup = {
        "inCluster": {"destination": {"mode": "s3", **store}},
        "operator": {"objectStore": store},
    }[mode]
    stack = database(tmp_path, mode, {"mode": mode, "user": "clerk", "backup": backup})
    readme = exported(stack, [stack])["README.md"]
    files = tmp_path / "files"
    files.mkdir()
    made = commands(files, readme)
    assert made.keys() == {key for it in stack.secrets for key in it.keys}
    assert made["object-store-secret"] == b"mine"
    if mode == "operator":
        [cluster] = [it for it in stack.objects if it["kind"] == "Cluster"]
        archived = cluster["spec"]["backup"]["barmanObjectStore"]
        assert archived["serverName"] == cluster["metadata"]["name"]
        assert (made["username"], made["password"]) == (b"clerk", made["database-password"])
        assert made["ca.crt"].count(b"\n") == 3
        assert "- `ghcr.io/cloudnative-pg/postgresql:" in readme
    else:
        assert "Keep a copy of `backup-key` elsewhere" in readme


_AWKWARD: list[Any] = [
    {"text": "{{ .Values.x }} {{{", "more": "one\n\n  two \n", "number": "1e3"},
    {"text": "<&>\u2028ü", "yes": "yes", "null": "null", "empty": {}, "none": []},
    {"text": 3, "more": "-1", "octal": "0777", "list": [{"name": "a"}, {"name": "b", "x": 1}]},
    {"list": [{"name": "b", "x": 2, "y": {"z": True}}, {"name": "c", "value": ""}], "yes": False},
    {"list": [{"name": "c", "value": "#"}, {"name": "b", "x": 0}], "empty": {"a": {"b": [1]}}},
    {"list": [{"name": "b", "x": 2}], "empty": {"a": {"c": [1]}}, "image": "i:1"},
    {"list": [{"name": "b", "x": 2}, {"name": "d", "value": "{{ x }}"}], "image": {"m": 1}},
    {"image": {"n": {"o": 2}}, "list": [{"name": "a"}, "b"]},
]


def test_whatever_stacks_differ_in_is_rendered_as_it_was(helm: Path, tmp_path: Path) -> None:
    stacks = [
        StackObjects(
            stack=f"s{number}",
            namespace="n",
            objects=(
                {
                    "apiVersion": "example.com/v1",
                    "kind": "Thing",
                    "metadata": {"name": "thing", "namespace": "n"},
                    "spec": spec,
                },
            ),
            generated={},
            secrets=(),
        )
        for number, spec in enumerate(_AWKWARD)
    ]
    for default in stacks:
        about = {"name": "things", "description": "Things.", "version": "1.0.0"}
        folder = tmp_path / default.stack
        write(folder, chart_files(stacks, default.stack, **about))
        for stack in stacks:
            values = ("--values", folder / f"values-{stack.stack}.yaml")
            assert rendered(helm, folder, "n", *values) == list(stack.objects)


def test_what_no_export_wrote_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(Failure, match=r"README\.md is there already, and no export wrote it"):
        main(["--stack", "minikube", "--out", str(tmp_path)])
    assert [it.name for it in tmp_path.iterdir()] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "mine"


def test_an_export_replaces_the_one_before_and_leaves_the_rest(tmp_path: Path) -> None:
    write(tmp_path, {"manifests/a.yaml": "a", "b": "b"})
    (tmp_path / "manifests/mine.yaml").write_text("mine")
    write(tmp_path, {"b": "c"})
    left = {it.relative_to(tmp_path).as_posix() for it in tmp_path.rglob("*") if it.is_file()}
    assert left == {".exported", "b", "manifests/mine.yaml"}
    assert (tmp_path / "b").read_text() == "c"


def test_a_list_that_leads_elsewhere_removes_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / ".exported").write_text("../mine\n")
    write(folder, {"a": "a"})
    assert (tmp_path / "mine").exists()


def test_a_stack_that_is_not_there_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        Failure, match=r"^There is no stack file Pulumi\.nowhere\.yaml; .*\.$"
    ) as it:
        main(["--stack", "nowhere", "--out", str(tmp_path / "out")])
    assert it.value.code is ExitCode.USAGE
    assert not (tmp_path / "out").exists()


@pytest.fixture
def stack_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file of a stack that is the only one, which a test may change."""
    monkeypatch.setattr(of_objects, "ROOT", tmp_path)
    stack_objects.cache_clear()
    file = tmp_path / "Pulumi.own.yaml"
    file.write_text((ROOT / "Pulumi.minikube.yaml").read_text())
    return file


def change(file: Path, key: str, value: Any) -> None:
    content = yaml.safe_load(file.read_text())
    content["config"][key] = value
    file.write_text(yaml.safe_dump(content))


def test_wrong_settings_are_said_in_a_sentence_with_their_file(
    stack_file: Path, tmp_path: Path
) -> None:
    change(stack_file, "todo:settings", {"environment": "moon"})
    with pytest.raises(Failure, match=r"^Pulumi\.own\.yaml: invalid settings\n.*'moon'") as it:
        main(["--stack", "own", "--out", str(tmp_path / "out")])
    assert str(it.value).endswith("; correct it and run again.")
    assert not (tmp_path / "out").exists()


def test_a_stack_without_settings_is_told_where_there_are_some(stack_file: Path) -> None:
    """As `pulumi stack init` leaves it."""
    stack_file.write_text("encryptionsalt: v1:salt\n")
    assert stack_names() == []
    with pytest.raises(Failure, match=r"has no todo:settings; copy it from Pulumi\.minikube\.yaml"):
        main(["--stack", "own"])


def test_a_secret_that_the_stack_has_besides_is_asked_for(stack_file: Path) -> None:
    """It is encrypted, and nobody decrypts it for this."""
    change(stack_file, "todo:chatApiKey", {"secure": "v1:not:to:be:opened"})
    secrets = {it.name: it.keys for it in stack_objects("own").secrets}
    assert secrets["todo-backend-secrets"] == ("chat-api-key", "database-password", "jwt-key")
    assert secrets["postgres-credentials"] == ("database-password",)
    texts = exported(stack_objects("own"), [stack_objects("own")])
    assert not any("not:to:be:opened" in it for it in texts.values())
    assert "echo … | tr -d '\\n' > chat-api-key" in texts["README.md"]
