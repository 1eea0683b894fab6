"""Settings: defaults, rules across fields, messages, the machine's overrides, and secrets."""

import copy
import json
import re
import typing
from pathlib import Path
from typing import Any, cast

import jsonschema
import pulumi
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from components.cluster.stack_identity import stack_identity
from components.todo.settings.config import load_config
from components.todo.settings.parse import parse_settings
from components.todo.settings.schema import stack_file_schema
from components.todo.settings.settings import Settings
from components.values.quantities import quantity_value
from components.values.value import Value
from stack_settings.errors import SettingsError
from stack_settings.found import fill
from tests.programs import STACKS, provider_settings, run_program, stack_settings
from tests.recording import SECRETS, record
from tests.settings_trees import blocks, trees

# What an editor would say.
EDITOR: Any = jsonschema.Draft202012Validator(stack_file_schema())


@pytest.fixture
def tree() -> dict[str, Any]:
    return stack_settings("minikube")


def message_of(tree: object, overrides: object = None) -> str:
    with pytest.raises(SettingsError) as error:
        parse_settings(tree, overrides)
    return str(error.value)


@pytest.mark.parametrize("stack", STACKS)
def test_stack_files_are_valid(stack: str) -> None:
    parse_settings(stack_settings(stack))


def test_minikube_has_the_promised_values(tree: dict[str, Any]) -> None:
    it = parse_settings(tree)
    assert it.namespace.name == "todo-app"
    assert it.database.mode == "inCluster"
    assert it.database.storage.size == "1Gi"
    assert (it.frontend.scaling.most, it.backend.scaling.most) == (2, 2)


def test_a_node_of_two_cpus_has_room_for_an_update_of_the_development_stack(
    tree: dict[str, Any],
) -> None:
    """The rest is kubeadm's own pods' and the network plugin's: 1 CPU with Minikube's Calico."""
    it = parse_settings(tree)
    assert it.database.mode == "inCluster"
    each = {part: quantity_value(part.resources.cpu_request) for part in (it.backend, it.frontend)}
    pods = sum(each[part] * part.scaling.most for part in each)
    pods += quantity_value(it.database.resources.cpu_request)
    assert pods + max(each.values()) <= 1


def change(tree: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    changed = copy.deepcopy(tree)
    *parents, last = path.split(".")
    here = changed
    for key in parents:
        here = here.setdefault(key, {})
    here[last] = value
    return changed


RESOURCES = {"cpuLimit": "1", "memoryRequest": "1Gi", "memoryLimit": "1Gi"}
WRONG: list[tuple[str, Any, str]] = [
    (
        "database.exporter",
        {},
        "expected metrics.mode annotations or serviceMonitor with database.e",
    ),
    ("frontned", {}, "todo:settings: unknown setting 'frontned'; did you mean frontend?"),
    ("backend.exposure.prot", 1, "todo:settings.backend.exposure: unknown setting 'prot'"),
    ("backend.exposure.port", 80, "todo:settings.backend.exposure.port is 80: input should be g"),
    ("backend.exposure.mode", "x", "todo:settings.backend.exposure"),
    ("backend.exposure.port", 30000, "frontend and backend both use 30000"),
    (
        "frontend.scaling",
        {"mode": "fixed", "replicas": -1},
        "todo:settings.frontend.scaling.replicas is -1: input should be greater than or equal to 1",
    ),
    (
        "frontend.scaling",
        {"mode": "autoscaled", "minReplicas": 5, "maxReplicas": 2},
        "todo:settings.frontend.scaling: expected minReplicas (5) at most maxReplicas (2)",
    ),
    (
        "frontend",
        {
            "scaling": {"mode": "autoscaled", "cpuPercent": 95},
            "resources": {**RESOURCES, "cpuRequest": "1", "cpuLimit": "1"},
        },
        "todo:settings.frontend: expected cpuPercent (95) of at most 90: a pod uses no more than",
    ),
    (
        "backend.resources",
        {**RESOURCES, "cpuRequest": "2"},
        "todo:settings.backend.resources: expected cpuRequest (2) at most cpuLimit (1)",
    ),
    ("cluster.kind", "managed", "load works only with cluster.kind local"),
    ("cluster.kind", "moon", "todo:settings.cluster.kind is 'moon': input should be 'local' or"),
    ("cluster", {}, "todo:settings.cluster.kind: field required"),
    (
        "database",
        {"mode": "external", "host": "db.example.com"},
        "expected secrets.mode external",
    ),
    (
        "database",
        {"mode": "inCluster", "storage": {"size": "1"}},
        "todo:settings.database.storage.size is '1': expected a size",
    ),
    (
        "database",
        {"mode": "inCluster", "backup": {"schedule": "often"}},
        "todo:settings.database.backup.schedule is 'often': expected five cron fields",
    ),
    *(
        (
            "database",
            {"mode": "inCluster", setting: value},
            f"todo:settings.database.{setting} is {value!r}: expected a name of PostgreSQL that "
            "needs no quotes: up to 63 lower-case letters, digits and '_', and no digit first",
        )
        for setting in ("name", "user")
        for value in ("to do", "Todo", "1a", "", "a" * 64, "todo-app")
    ),
    (
        "database",
        {"mode": "inCluster", "backup": {"storage": {"size": "1Mi"}}},
        "todo:settings.database.backup: expected storage.size (1Mi) of at least 64Mi: it holds",
    ),
    (
        "database",
        {"mode": "inCluster", "exporter": {}, "user": "metrics_exporter"},
        "todo:settings.database: expected another user than metrics_exporter with exporter: it",
    ),
    *(
        (
            "database",
            {"mode": "external", "host": host},
            f"todo:settings.database.host is '{host}': expected a host that pods can reach; in a "
            "pod this is the pod itself",
        )
        for host in ("localhost", "db.localhost", "127.0.0.1", "127.1.2.3", "0.0.0.0")  # noqa: S104
    ),
    *(
        (
            "backend.chat",
            {"baseUrl": f"http://{host}:11434/v1", "model": "m"},
            f"todo:settings.backend.chat.baseUrl is 'http://{host}:11434/v1': expected a host that "
            "pods can reach",
        )
        for host in ("localhost", "LOCALHOST", "127.0.0.1", "0.0.0.0")  # noqa: S104
    ),
    (
        "database",
        {"mode": "external", "host": "192.168.1.5"},
        "todo:settings.database: expected cidr (10.0.0.0/8) to hold host (192.168.1.5), since the "
        "backend reaches a database at no other address: set cidr to its network's range or "
        "192.168.1.5/32",
    ),
    (
        "database",
        {"mode": "external", "host": "10.1.2.3", "cidr": "fd00::/8"},
        "expected cidr (fd00::/8) to hold host (10.1.2.3)",
    ),
    (
        "images.builder",
        {"engine": "docker", "exporter": "image-store"},
        "todo:settings.images.builder: expected exporter docker or archive with engine docker",
    ),
    (
        "images",
        {"mode": "load", "builder": {"exporter": "archive"}},
        "todo:settings: expected images.builder.exporter docker or image-store: archive needs "
        "cluster.provider minikube, kind or k3d, whose tool loads it into the nodes, but that is "
        "auto",
    ),
    (
        "cluster.provider",
        "Minikube",
        "todo:settings.cluster.provider is 'Minikube': input should be 'auto', 'minikube', 'kind'",
    ),
    *(
        (
            "cluster",
            {"kind": "managed", "provider": provider},
            "todo:settings.cluster: expected provider auto or context with kind managed: "
            f"{provider} makes clusters on this machine (kind local)",
        )
        for provider in ("minikube", "kind", "k3d", "dockerDesktop", "embedded")
    ),
    *(
        (
            "cluster",
            cluster,
            "todo:settings.cluster: expected a name only with kind local and provider auto, "
            "minikube, kind or k3d",
        )
        for cluster in (
            {"kind": "local", "provider": "embedded", "name": "a"},
            {"kind": "local", "provider": "dockerDesktop", "name": "a"},
            {"kind": "local", "provider": "context", "name": "a"},
            {"kind": "managed", "name": "a"},
        )
    ),
    *(
        (
            "cluster.name",
            name,
            f"todo:settings.cluster.name is {name!r}: expected a cluster's name: up to 63 letters, "
            "digits, '.' and '-', with a letter or a digit at either end",
        )
        for name in ("-a", "a-", "a_b", "a b", "", "a" * 64, "--help")
    ),
    *(
        (
            "namespace",
            {"name": name, "adopt": True},
            f"todo:settings.namespace.name is '{name}': expected a namespace of the application's "
            "own, such as todo-app",
        )
        for name in ("default", "kube-system", "kube-public", "kube-node-lease", "kube-x")
    ),
    ("environment", None, "todo:settings.environment is None"),
    ("backend.log_level", "info", "unknown setting 'log_level'; did you mean logLevel?"),
]


@pytest.mark.parametrize(("path", "value", "message"), WRONG)
def test_wrong_settings_are_explained(
    tree: dict[str, Any], path: str, value: object, message: str
) -> None:
    assert message in message_of(change(tree, path, value))


@pytest.mark.parametrize(
    "database",
    [
        {"host": "192.168.1.5", "cidr": "192.168.1.0/24"},
        {"host": "10.1.2.3"},
        # Where a name leads, only the cluster knows.
        {"host": "db.example.com", "cidr": "192.168.1.0/24"},
        {"host": "localhost-db.example.com"},
    ],
)
def test_a_database_that_its_range_holds_is_taken(database: dict[str, Any]) -> None:
    tree = stack_settings("cloud")
    assert parse_settings({**tree, "database": {"mode": "external", **database}})


OVERRIDDEN = [
    ("frontend.resources.memoryLimit", "512Mi", "128Mi"),
    ("backend.resources.cpuLimit", 1, "250m"),
    ("database.resources.memoryLimit", "1Gi", "256Mi"),
    ("database.storage.storageClass", "fast", "1Gi"),
    ("database.backup.keep", 3, "17 3 * * *"),
    ("database.backup.storage.storageClass", "fast", "1Gi"),
    ("frontend.scaling.replicas", 3, "fixed"),
    ("frontend.exposure.port", 30005, "nodePort"),
    ("frontend.exposure.mode", "nodePort", 30000),
    ("database.name", "other", "docker.io/library/postgres:17"),
    ("namespace.labels", {"a": "b"}, "todo-app"),
    ("cluster.context", "a", "127.0.0.1"),
]


@pytest.mark.parametrize(("path", "value", "kept"), OVERRIDDEN)
def test_a_block_given_in_part_keeps_the_rest_of_its_default(
    path: str, value: object, kept: object
) -> None:
    minimal = {"cluster": {"kind": "local"}, "images": {"mode": "load"}}
    before = parse_settings(minimal).model_dump(by_alias=True)
    after = parse_settings(change(minimal, path, value)).model_dump(by_alias=True)
    *parents, last = path.split(".")
    before_block, block = before, after
    for key in parents:
        before_block, block = before_block[key], block[key]
    assert block.pop(last) == (str(value) if last == "cpuLimit" else value)
    before_block.pop(last)
    assert block == before_block
    assert str(kept) in str(block)


def test_an_empty_block_is_its_default() -> None:
    minimal = {"cluster": {"kind": "local"}, "images": {"mode": "load"}}
    blocks = ("namespace", "secrets", "database", "frontend", "backend", "metrics")
    assert parse_settings({**minimal, **{block: {} for block in blocks}}) == parse_settings(minimal)


def test_another_mode_takes_nothing_from_the_default(tree: dict[str, Any]) -> None:
    wrong = change(tree, "backend", {"exposure": {"mode": "ingress", "port": 30001}})
    assert "unknown setting 'port'; allowed here with mode ingress: " in message_of(wrong)


def test_a_block_without_a_default_says_its_modes(tree: dict[str, Any]) -> None:
    message = message_of(change(tree, "images", {"builder": {"name": "a"}}))
    assert message.endswith(
        "todo:settings.images.mode: field required: expected 'load', 'registry', 'prebuilt'"
    )


def test_the_path_of_an_error_in_a_block_without_mode_is_that_of_the_file() -> None:
    minimal = {"cluster": {"kind": "local"}, "images": {"mode": "load"}}
    message = message_of(change(minimal, "frontend.exposure.port", 80))
    assert "todo:settings.frontend.exposure.port is 80: " in message


# As `pulumi config set --path` writes them into the stack file.
TYPED = [
    ("namespace.name", 123, "123"),
    ("namespace.name", True, "true"),
    ("cluster.context", 1, "1"),
    ("frontend.exposure.port", "30005", 30005),
    ("frontend.scaling.replicas", "3", 3),
    ("frontend.resources.cpuLimit", 1, "1"),
    ("frontend.resources.cpuLimit", 0.5, "0.5"),
    ("frontend.resources.memoryLimit", 268435456, "268435456"),
    ("namespace.labels", {"a": 1, "b": True}, {"a": "1", "b": "true"}),
]


@pytest.mark.parametrize(("path", "value", "meant"), TYPED)
def test_numbers_and_switches_are_taken_for_what_was_typed(
    tree: dict[str, Any], path: str, value: object, meant: object
) -> None:
    changed = change(tree, path, value)
    here: Any = parse_settings(changed).model_dump(by_alias=True)
    for key in path.split("."):
        here = here[key]
    assert here == meant
    EDITOR.validate({"config": {"todo:settings": changed}})


def test_a_fraction_is_no_name(tree: dict[str, Any]) -> None:
    # 1.10 in the file has become 1.1 by now.
    message = message_of(change(tree, "namespace.labels", {"a/b": 1.1}))
    assert (
        'todo:settings.namespace.labels["a/b"] is 1.1: expected text: put the number in' in message
    )


def test_a_password_in_an_address_is_not_shown(tree: dict[str, Any]) -> None:
    chat = {"baseUrl": "https://user:hunter2@chat.example.com", "model": "m"}
    message = message_of(change(tree, "backend.chat", chat))
    assert "expected no user or password in the address" in message
    assert "hunter2" not in message


def test_a_key_in_an_address_is_not_shown(tree: dict[str, Any]) -> None:
    chat = {"baseUrl": "https://chat.example.com/v1?api-key=hunter2", "model": "m"}
    message = message_of(change(tree, "backend.chat", chat))
    assert "nothing after ? or #" in message
    assert "https://chat.example.com/v1?…" in message
    assert "hunter2" not in message


def test_long_values_are_cut(tree: dict[str, Any]) -> None:
    assert len(message_of(change(tree, "cluster.kubeconfig", "x: y\n" * 1000))) < 400


def test_two_ways_in_have_two_hosts(tree: dict[str, Any]) -> None:
    exposure = {"mode": "ingress", "host": "a.example", "className": "nginx"}
    same = change(change(tree, "frontend.exposure", exposure), "backend.exposure", exposure)
    assert "frontend and backend both use a.example" in message_of(same)


def test_an_annotation_of_the_programs_own_is_refused(tree: dict[str, Any]) -> None:
    own = {"todo-kubernetes/stack": "somebody/else/s"}
    exposure = {
        "mode": "ingress",
        "host": "a.example",
        "className": "nginx",
        "annotations": own,
    }
    message = message_of(change(tree, "frontend.exposure", exposure))
    assert "todo:settings.frontend.exposure: expected no annotation todo-kubernetes/" in message


# Where, what it is unless it is missing or a block, and what is allowed.
LINE = re.compile(r"  todo:settings(\.[\w-]+|\[[^\n]+\])*( is [^\n]+)?: [^\n]+")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tree=trees())
def test_what_is_refused_is_refused_in_one_sentence_each(tree: dict[str, Any]) -> None:
    try:
        parse_settings(tree)
    except SettingsError as error:
        head, *lines = str(error).split("\n")
        assert head == "invalid settings"
        assert all(LINE.fullmatch(line) and len(line) < 500 for line in lines), lines
    else:
        EDITOR.validate({"config": {"todo:settings": tree}})


def leaves(annotation: Any) -> set[str]:
    """The settings below a type, each by its path without modes."""
    found = set[str]()
    for part in typing.get_args(annotation) or (annotation,):
        if not (isinstance(part, type) and issubclass(part, Value)):
            found |= leaves(part) if typing.get_args(part) else set()
            continue
        for name, field in part.model_fields.items():
            path = field.alias or name
            found |= {path, *(f"{path}.{it}" for it in leaves(field.annotation))}
    return found


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_drawn(name: str) -> None:
    drawn = set[str]()

    def note(block: object, at: str) -> None:
        drawn.add(at)
        if isinstance(block, dict):
            for key, value in cast("dict[str, object]", block).items():
                note(value, f"{at}.{key}")

    @settings(
        max_examples=500,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),  # pyright: ignore[reportArgumentType]
    )
    @given(block=blocks(name))
    def draw(block: object) -> None:
        note(block, name)

    draw()
    missing = {it for it in leaves(Settings) if it.partition(".")[0] == name} - drawn
    assert not missing


def test_images_are_built_for_at_least_one_platform(tree: dict[str, Any]) -> None:
    images: dict[str, Any] = {
        "mode": "registry",
        "repository": "registry.example.com/todo",
        "platforms": [],
    }
    message = message_of({**tree, "images": images})
    assert "todo:settings.images.platforms is []: expected at least one" in message


def test_a_private_key_in_the_place_of_the_public_one_is_refused_and_not_repeated(
    tree: dict[str, Any],
) -> None:
    key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"
    images = {**stack_settings("cloud")["images"], "signature": {"publicKey": key}}
    message = message_of({**tree, "images": images})
    assert "todo:settings.images.signature: expected publicKey to be the text of cosig" in message
    assert "c2VjcmV0" not in message


def test_an_image_that_has_to_be_signed_is_named_by_its_digest(tree: dict[str, Any]) -> None:
    signature = stack_settings("cloud")["images"]["signature"]
    by_digest = {it: f"r.example.com/{it}@sha256:{'0' * 64}" for it in ("backend", "frontend")}
    images = {"mode": "prebuilt", "signature": signature, **by_digest}
    assert parse_settings({**tree, "images": images})
    message = message_of({**tree, "images": {**images, "backend": "r.example.com/backend:1"}})
    assert "expected backend and frontend by digest" in message


def test_a_pin_is_a_digest_where_images_have_to_be_signed(tree: dict[str, Any]) -> None:
    images = stack_settings("cloud")["images"]
    pins = {"backend": f"r.example.com/backend@sha256:{'0' * 64}"}
    assert parse_settings({**tree, "images": {**images, "pins": pins}})
    pins = {"backend": "r.example.com/backend:1"}
    message = message_of({**tree, "images": {**images, "pins": pins}})
    assert "expected pins by digest" in message
    del images["signature"]
    assert parse_settings({**tree, "images": {**images, "pins": pins}})


def test_every_error_has_its_line(tree: dict[str, Any]) -> None:
    wrong = change(change(tree, "environment", "x"), "cluster.nodeAddress", "_")
    assert message_of(wrong).count("todo:settings.") == 2


@pytest.mark.parametrize("root", [None, 1, "text", [], [1]])
def test_settings_that_are_no_tree(root: object) -> None:
    assert "todo:settings" in message_of(root)


def test_clones_with_a_stack_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    identities: list[str] = []
    files = (None, "config: {}", "encryptionsalt: v1:a", "encryptionsalt: v1:b", "encryptedkey: c")
    for number, text in enumerate(files):
        path = tmp_path / f"Pulumi.{number}.yaml"
        if text:
            path.write_text(text, encoding="utf-8")
        record(lambda path=path: identities.append(stack_identity(path)), {})
    assert identities[0] == identities[1] == "organization/todo/test"
    assert len({*identities}) == 4
    assert "v1:a" not in "".join(identities)


@pytest.mark.parametrize("provider", ["kind", "k3d"])
def test_a_docker_daemon_has_no_images_for_nodes_with_stores_of_their_own(
    tree: dict[str, Any], provider: str
) -> None:
    named = change(tree, "cluster.provider", provider)
    message = message_of(change(named, "images.builder", {"name": "mine"}))
    assert f"exporter archive with cluster.provider {provider}, whose nodes have none" in message
    assert parse_settings(change(named, "images.builder", {"engine": "docker"}))


class TestWhatWasFoundOut:
    def test_fills_what_a_local_stack_leaves_open(self, tree: dict[str, Any]) -> None:
        found = {"cluster": {"nodeAddress": "10.1.2.3"}, "images": {"builder": {"name": "todo"}}}
        it = parse_settings(tree, found)
        assert it.cluster.node_address == "10.1.2.3"
        assert it.images.mode == "load"
        assert it.images.builder.name == "todo"

    @pytest.mark.parametrize("given", [{}, {"provider": "auto"}, {"provider": None}])
    def test_fills_a_provider_that_is_auto(self, given: dict[str, Any]) -> None:
        tree = {"cluster": {"kind": "local", **given}, "images": {"mode": "load"}}
        builder = {"name": "default", "exporter": "archive"}
        found = {
            "cluster": {"provider": "kind", "name": "todo"},
            "images": {"mode": "load", "builder": builder},
        }
        it = parse_settings(tree, found)
        assert (it.cluster.provider, it.cluster.name) == ("kind", "todo")
        assert it.images.mode == "load"
        assert it.images.builder.exporter == "archive"

    def test_another_provider_than_the_stack_s_is_none_of_it(self, tree: dict[str, Any]) -> None:
        named = change(tree, "cluster.provider", "minikube")
        message = message_of(named, {"cluster": {"provider": "kind"}})
        assert "todo:settings.cluster.provider is 'minikube' in the stack file, but 'kind'" in (
            message
        )

    @pytest.mark.parametrize("provider", ["auto", "minikube", "kind", "k3d"])
    def test_a_cluster_may_have_a_name(self, tree: dict[str, Any], provider: str) -> None:
        named = change(change(tree, "cluster.provider", provider), "cluster.name", "a.b-1")
        assert parse_settings(named).cluster.name == "a.b-1"

    def test_does_not_apply_to_a_managed_cluster(self) -> None:
        it = parse_settings(stack_settings("cloud"), {"cluster": {"nodeAddress": "10.1.2.3"}})
        assert it.cluster.node_address == "127.0.0.1"

    def test_errors_name_their_file(self, tree: dict[str, Any]) -> None:
        message = message_of(tree, {"cluster": {"nodeAddress": "_"}})
        assert ".nodeAddress is '_'" in message
        assert "(from .local/settings.<stack>.json)" in message

    def test_errors_of_the_stack_do_not(self, tree: dict[str, Any]) -> None:
        wrong = change(tree, "environment", "x")
        assert ".local" not in message_of(wrong, {"cluster": {"nodeAddress": "10.1.2.3"}})

    @pytest.mark.parametrize(
        ("given", "found", "path"),
        [
            (
                {"images": {"mode": "prebuilt", "backend": "b:1", "frontend": "f:1"}},
                {"images": {"mode": "load", "builder": {"name": "todo-embedded"}}},
                "todo:settings.images.mode is 'prebuilt'",
            ),
            (
                {"cluster": {"kind": "local", "context": "mine"}},
                {"cluster": {"context": "kubernetes-admin@todo"}},
                "todo:settings.cluster.context is 'mine'",
            ),
            (
                {"database": {"image": "postgres:17.6"}},
                {"database": {"mode": "inCluster", "image": "localhost/todo/postgres:17"}},
                "todo:settings.database.image is 'postgres:17.6'",
            ),
        ],
    )
    def test_says_nothing_else_than_the_stack(
        self, tree: dict[str, Any], given: dict[str, Any], found: dict[str, Any], path: str
    ) -> None:
        message = message_of({**tree, **given}, found)
        assert f"{path} in the stack file, but " in message
        assert "in .local/settings.<stack>.json" in message
        assert "run `make up`" in message

    def test_leaves_a_block_without_mode_as_it_is(self, tree: dict[str, Any]) -> None:
        found = {"database": {"mode": "inCluster", "image": "localhost/todo/postgres:17"}}
        database = parse_settings(change(tree, "database.backup.keep", 3), found).database
        assert database.mode == "inCluster"
        assert database.backup is not None
        assert (database.backup.keep, database.image) == (3, "localhost/todo/postgres:17")

    def test_never_gets_into_a_block_of_another_mode(self) -> None:
        given = {"images": {"mode": "prebuilt"}, "kept": 1}
        found = {"images": {"mode": "load", "builder": {"name": "x"}}, "more": 2}
        assert fill(given, found) == {"images": {"mode": "prebuilt"}, "kept": 1, "more": 2}

    def test_unreadable_file_is_named(self, tmp_path: Path) -> None:
        (tmp_path / ".local").mkdir()
        (tmp_path / ".local" / "settings.test.json").write_text("{")
        config = {"todo:settings": json.dumps(stack_settings("minikube"))}
        with pytest.raises(pulumi.RunError, match=r"\.local/settings\.test\.json cannot be read"):
            record(lambda: load_config(tmp_path), config)

    def test_of_another_stack_is_not_read(self, tmp_path: Path) -> None:
        (tmp_path / ".local").mkdir()
        found = {"cluster": {"nodeAddress": "10.1.2.3"}}
        (tmp_path / ".local" / "settings.other.json").write_text(json.dumps(found))
        config = {"todo:settings": json.dumps(stack_settings("minikube"))}
        loaded: list[Any] = []
        record(lambda: loaded.append(load_config(tmp_path)), {**config, **SECRETS})
        assert loaded[0].settings.cluster.node_address == "127.0.0.1"

    def test_of_all_stacks_together_is_not_guessed_at(self, tmp_path: Path) -> None:
        (tmp_path / ".local").mkdir()
        (tmp_path / ".local" / "settings.json").write_text("{}")
        config = {"todo:settings": json.dumps(stack_settings("minikube"))}
        with pytest.raises(pulumi.RunError, match="run `make up` once"):
            record(lambda: load_config(tmp_path), config)


class TestProgramWithWrongConfiguration:
    """Nothing may be registered before the configuration is known to be right."""

    def refused(self, config: dict[str, str]) -> str:
        with pytest.raises(pulumi.RunError) as error:
            record(lambda: load_config(Path("/nonexistent")), config)
        return str(error.value)

    def test_missing_settings(self) -> None:
        assert "todo:settings is missing in Pulumi.test.yaml" in self.refused({})

    def test_text_instead_of_a_tree(self) -> None:
        assert "todo:settings is 'nonsense'" in self.refused({"todo:settings": "nonsense"})

    def test_unknown_key(self) -> None:
        message = self.refused({"todo:setings": "{}"})
        assert "unknown configuration key todo:setings; allowed: todo:settings" in message

    @pytest.mark.parametrize("key", sorted(SECRETS))
    def test_missing_secret_says_the_command(self, key: str, tree: dict[str, Any]) -> None:
        config = {"todo:settings": json.dumps(tree), **SECRETS}
        del config[key]
        assert f"{key} is missing; set it with: pulumi config set --secret {key} " in self.refused(
            config
        )

    def test_signed_images_without_a_key_say_how_to_make_one(self) -> None:
        config = {"todo:settings": json.dumps(stack_settings("cloud")), **SECRETS}
        assert "todo:signingKey: run `make signing-key STACK=test`" in self.refused(config)

    def test_plain_secret_is_refused(self, tree: dict[str, Any]) -> None:
        config = {"todo:settings": json.dumps(tree), **SECRETS}
        with pytest.raises(pulumi.RunError, match="todo:databasePassword is not encrypted"):
            record(
                lambda: load_config(Path("/nonexistent")),
                config,
                encrypted=[],
            )

    def test_no_resource_is_registered(self, tree: dict[str, Any]) -> None:
        recording = run_program(change(tree, "environment", "x"), catch=pulumi.RunError)
        assert [r.type for r in recording.resources] == ["pulumi:pulumi:Stack"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
KEYS = sorted(
    {
        ".".join(filter(None, (block, key)))
        for block in ("", "backend", "frontend", "cluster", "database", "images", "secrets")
        for key in (
            ["mode", "kind", "exposure", "scaling", "resources", "storage", "port", "host"]
            if block
            else [*(f.alias or n for n, f in Settings.model_fields.items())]
        )
    }
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(path=st.sampled_from(KEYS), value=JSON, overridden=st.booleans())
def test_no_input_breaks_the_parser(path: str, value: object, overridden: bool) -> None:
    tree = stack_settings("minikube")
    try:
        if overridden:
            parse_settings(tree, change({}, path, value))
        else:
            parse_settings(change(tree, path, value))
    except SettingsError as error:
        assert "todo:settings" in str(error)  # noqa: PT017 - both outcomes are right


def test_examples_of_all_providers_are_valid() -> None:
    providers = provider_settings()
    assert list(providers) == ["AWS", "Google Cloud", "Azure"]
    for it in providers.values():
        parse_settings(it)
