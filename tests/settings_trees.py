"""Settings trees as people might write them: every setting, at and beyond the edges of its range.

Used without a cluster (what is refused is refused in one sentence) and with one (what is accepted,
the API server accepts).
"""

import typing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st

from components.todo.settings.parse import parse_settings
from components.todo.settings.settings import Settings
from components.values.value import Value
from stack_settings.errors import SettingsError
from tests.certificates import authority

Tree = st.SearchStrategy[Any]
_ODD: list[Any] = ["", " ", "a b", "-a", "a-", "A", "ä", "a\0b", "a\n", "\ud800", None, 1.5, []]
_LABELS = ["a", "0", "todo-1", "a" * 63, "a" * 64, 123, True]
_NAMES = [*_LABELS, "a.b", "a..b", "a" * 253, "a" * 254]
_HOSTS = [
    "a.example.com",
    "db.example.com",
    "localhost",
    "10.1.2.3",
    "10.1.2.300",
    "a_b.example",
    f"{'a' * 64}.b",
]
_SIZES = [
    *["1Mi", "16Mi", "64Mi", "256Mi", "1.5Gi", "1Gi", "0.3Gi", "100M", "2Ti", "1024Ti", "1025Ti"],
    *["512", 512, 268435456, "1.0000001Gi", "128m", "1gb", -1],
]
_CPUS = ["1m", "10m", "250m", "0.5", "1.5", "2", 1, 0.5, 4096, "0.0005", "0.0015", "1k", "-1", 1e-9]
_CIDRS = [
    *["10.0.0.0/8", "0.0.0.0/0", "10.1.2.3/32", "fd00::/8", "::/0", "::1/128"],
    *["999.999.999.999/99", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0", "10.0.0.0/255.0.0.0"],
    *["010.0.0.0/8", "FD00::/8", "::ffff:10.0.0.0/104", "fe80::%eth0/64"],
]
_CRON = [
    *["17 3 * * *", "*/15 0-6,12 1 JAN-MAR mon-fri", "@daily", "5/20 * * * SUN", "0 0 29 2 *"],
    *["17 3 * * 7", "17 3 * * SAT-SUN", "17 3 30-5 * *", "MON * * * *", "0 0 31 2 *"],
    *["TZ=UTC 1 * * * *", "@every 1h", "@Daily", "*/0 * * * *", "* * * * * *", "1\t2 * * *"],
]
_IMAGES = [
    *["postgres:17.5-bookworm", "r.example.com:5000/a/b:1", "ghcr.io/a/b@sha256:" + "a" * 64],
    *[
        "r.example.com:99999/a:1",
        "r..example.com/a:1",
        "a:latest",
        "a",
        "A:1",
        "a:1 ",
        "a:" + "1" * 129,
    ],
    *["a:" + "1" * 129, "a/" * 127 + "aa:1", "r.example.com:0/a:1"],
]
_KEYS = ["a", "example.com/a.b_c", "A/b", "a/b/c", "", "-a", "a" * 64, "release", "a b"]
_VALUES = ["", "a", "a.b_c-1", "a b", "-a", "a" * 63, "a" * 64, 1, True, "ä"]
_COUNTS = [1, 2, 3, 50, 51, 0, -1, "4", True, 2.5]


def _bundle() -> str:
    with TemporaryDirectory() as folder:
        return authority(Path(folder), "tests")[0].read_text(encoding="utf-8")


def _of(values: list[Any]) -> Tree:
    # Mostly not odd: a block has many settings, and is accepted only if all are right.
    return st.sampled_from([*values * 6, *_ODD])


def _block(required: dict[str, Tree] | None = None, /, **optional: Tree) -> Tree:
    return st.fixed_dictionaries(required or {}, optional=optional)


def _mode(mode: str, required: dict[str, Tree] | None = None, /, **optional: Tree) -> Tree:
    return _block({"mode": st.just(mode), **(required or {})}, **optional)


def _list(values: list[Any]) -> Tree:
    return st.lists(_of(values), max_size=3)


_resources = _block(
    cpuRequest=_of(_CPUS),
    cpuLimit=_of(_CPUS),
    memoryRequest=_of(_SIZES),
    memoryLimit=_of(_SIZES),
    ephemeralStorageRequest=_of(_SIZES),
    ephemeralStorageLimit=_of(_SIZES),
)
_scaling = _block(replicas=_of(_COUNTS)) | _mode(
    "autoscaled",
    minReplicas=_of(_COUNTS),
    maxReplicas=_of(_COUNTS),
    cpuPercent=_of([1, 70, 100, 101, "80"]),
    scaleDownSeconds=_of([0, 300, 3600, 3601, "60"]),
)
_switch = _of([True, False, "true", 1])
_proxies = _of([0, 1, 2, 10, 11, "2"])
_labels = st.dictionaries(st.sampled_from(_KEYS), _of(_VALUES), max_size=2)
_annotations = st.dictionaries(
    st.sampled_from([*_KEYS, "kubernetes.io/ingress.class", "pulumi.com/skipAwait"]),
    _of([*_VALUES, "a\nb", "{}"]),
    max_size=2,
)


def _exposure(ports: list[Any]) -> Tree:
    return st.one_of(
        _mode("clusterIp"),
        _block(port=_of(ports), externalTrafficPolicy=_of(["Local", "Cluster", "local"])),
        _mode(
            "ingress",
            {"host": _of(_HOSTS), "className": _of(_NAMES)},
            tlsSecret=_of(_NAMES),
            annotations=_annotations,
            trustedProxies=_proxies,
            fromNamespace=_of(_LABELS),
        ),
        _mode(
            "gateway",
            {"host": _of(_HOSTS), "gateway": _of(_NAMES), "gatewayNamespace": _of(_LABELS)},
            listener=_of(_NAMES),
            port=_of([0, 1, 443, 65535, 65536, "8443"]),
            authority=_of(_NAMES),
            trustedProxies=_proxies,
            fromNamespace=_of(_LABELS),
        ),
    )


_SERVICE: dict[str, Tree] = {
    "scaling": _scaling,
    "resources": _resources,
    "exposure": _exposure([30010, 30011, "30012"]),
    "preStopSeconds": _of([0, 1, 20, 300, 301, "5"]),
    "image": _of(_IMAGES),
}
"""What a service may have, by name; what it has is in its block of the settings."""


def _service(name: str, **own: Tree) -> Tree:
    """Draws the block of a service; only what no other service has needs to be said."""
    annotation = Settings.model_fields[name].annotation
    kinds = typing.get_args(annotation) or (annotation,)
    (model,) = (it for it in kinds if isinstance(it, type) and issubclass(it, Value))
    settings = {field.alias or key for key, field in model.model_fields.items()}
    return _block(**{key: it for key, it in (_SERVICE | own).items() if key in settings})


_storage = _block(size=_of(_SIZES), storageClass=_of(_NAMES))
_postgres_names = _of(["todo", "a", "_a1", "1a", "A", 1])
_authorities = _bundle()
_bundles = _of(
    [_authorities, _authorities * 2, _authorities[:-40], "-----BEGIN PRIVATE KEY-----", "a"]
)
_STORE: dict[str, Tree] = {
    "bucket": _of(["backups", "a", "a_b"]),
    "endpoint": _of(["https://10.1.2.3:9000", "https://s3.example.com/a"]),
    "prefix": _of(["shop/live", "/a", "a b"]),
}
_STORE_OPTIONAL: dict[str, Tree] = {
    "region": _of(["eu-central-1", "EU"]),
    "caBundle": _bundles,
    "cidr": _of(_CIDRS),
}
_database = st.one_of(
    # Nearly always right, since the next is right in all its settings too seldom.
    _mode(
        "external",
        {
            "host": st.just("db.example.com"),
            "sslMode": st.sampled_from(["verify-ca", "verify-full"]),
            "caBundle": st.just(_authorities),
        },
        pooler=st.booleans(),
    ),
    _mode(
        "operator",
        {
            "backup": _block(
                {
                    "objectStore": st.just(
                        {
                            "bucket": "backups",
                            "endpoint": "https://10.1.2.3",
                            "prefix": "shop",
                            "cidr": "10.1.2.3/32",
                        }
                    )
                },
                keepDays=_of([1, 30, "7"]),
            )
        },
    ),
    _mode(
        "operator",
        image=_of(_IMAGES),
        name=_postgres_names,
        user=_postgres_names,
        instances=_of([0, 1, 2, 3, 4, "2"]),
        synchronous=_switch,
        storage=_storage,
        resources=_resources,
        backup=st.none()
        | _block(
            {"objectStore": _block(_STORE, **_STORE_OPTIONAL)},
            schedule=_of(_CRON),
            keepDays=_of([0, 1, 30, 3651, "7"]),
        ),
        operatorNamespace=_of(_LABELS),
    ),
    _block(
        image=_of(_IMAGES),
        name=_postgres_names,
        user=_postgres_names,
        storage=_storage,
        volume=_of([1, 2, 99, 0, 100, "3"]),
        resources=_resources,
        backup=st.none()
        | _block(
            schedule=_of(_CRON),
            keep=_of([1, 7, 365, 366]),
            storage=_storage,
            drill=st.none() | _block(schedule=_of(_CRON)),
            destination=_mode("volume")
            | _mode(
                "s3",
                _STORE,
                **_STORE_OPTIONAL,
                keepDays=_of([0, 1, 30, 3651, "7"]),
                image=_of(_IMAGES),
            ),
        ),
        exporter=st.none() | _block(image=_of(_IMAGES)),
    ),
    _mode(
        "external",
        {"host": _of(_HOSTS)},
        port=_of([1, 5432, 65535, 65536, "5433"]),
        name=_postgres_names,
        sslMode=_of(["require", "verify-ca", "verify-full", "disable"]),
        caBundle=_bundles,
        pooler=_switch,
        cidr=_of(_CIDRS),
    ),
)
_text = _of(["a", "a/b c", "todo/jwt-key", "x" * 1024, "x" * 1025, 7])
_keys = _block(
    {"databasePassword": _text, "jwtKey": _text},
    jwtNextKey=_text,
    jwtPreviousKey=_text,
    chatApiKey=_text,
    objectStoreKeyId=_text,
    objectStoreSecret=_text,
    backupKey=_text,
)
_secrets = st.one_of(
    _block(),
    # An external database is accepted with external secrets alone.
    _mode(
        "external",
        {"store": st.just("a"), "keys": st.just({"databasePassword": "a", "jwtKey": "b"})},
    ),
    _mode(
        "external",
        {"store": _of(_NAMES), "keys": _keys},
        refreshInterval=_of([None, "1h", "30s", "0s", "1d", "999999999999h", "٣h"]),
        storeKind=_of(["SecretStore", "ClusterSecretStore"]),
    ),
)
_building: dict[str, Tree] = {
    "builder": _block(
        engine=_of(["docker-build", "docker"]),
        name=_of(["todo", "a b", "-a", 1]),
        exporter=_of(["docker", "image-store", "archive"]),
    ),
    "baseImages": _block(python=_of(_IMAGES), node=_of(_IMAGES)),
    "pins": _block(backend=_of(_IMAGES), frontend=_of(_IMAGES)),
}
_PUBLIC_KEY = "-----BEGIN PUBLIC KEY-----\nMFkwEwYH\n-----END PUBLIC KEY-----\n"
_signature = _block(
    {"publicKey": _of([_PUBLIC_KEY, _PUBLIC_KEY.replace("PUBLIC", "PRIVATE"), "MFkwEwYH"])},
    caBundle=_bundles,
)
_images = st.one_of(
    _mode(
        "registry",
        {"repository": _of(["r.example.com:5000/todo", "r.example.com:70000/a", "a/b:1", "a"])},
        platforms=_list(["linux/amd64", "linux/arm64", "linux/s390x"]),
        signature=_signature,
        pullSecrets=_list(_NAMES),
        **_building,
    ),
    _mode(
        "prebuilt",
        {"backend": _of(_IMAGES), "frontend": _of(_IMAGES)},
        signature=_signature,
        pullSecrets=_list(_NAMES),
    ),
)
_metrics = st.one_of(
    _mode("none"),
    _mode("annotations", fromNamespace=_of(_LABELS)),
    _mode(
        "serviceMonitor",
        interval=_of(["30s", "1m", "0s", "1h", "9999999s"]),
        labels=_labels,
        fromNamespace=_of(_LABELS),
    ),
)
_ADDRESSES = [
    *[
        "http://chat.example.com:8443/v1",
        "https://10.1.2.3",
        "http://a:0",
        "http://a:99999",
        "ftp://a",
    ],
    *[
        "https://user:hunter2@chat.example.com",
        "https://a b",
        "https://",
        "http://a/?b=1",
        "http://[::1]",
    ],
]
_BLOCKS: dict[str, Tree] = {
    "environment": _of(["development", "production"]),
    "cluster": _block(
        {"kind": st.just("managed")},
        provider=_of(["auto", "context", "kind", "Minikube"]),
        name=_of([*_LABELS, "a.b", "a_b"]),
        kubeconfig=_of(["/a/b", "a" * 1025]),
        context=_of(["a", "arn:aws:eks:a:1:cluster/b", 1]),
        nodeAddress=_of(_HOSTS),
        podCidr=_of(_CIDRS),
        dnsCidrs=_list(_CIDRS),
    ),
    "namespace": _block(
        name=_of(_LABELS),
        adopt=_switch,
        labels=_labels
        | st.just({"pod-security.kubernetes.io/enforce": "privileged"})
        | st.just({"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"}),
    ),
    "images": _images,
    "secrets": _secrets,
    "database": _database,
    "backend": _service(
        "backend",
        exposure=_exposure([30001, 30002, 32767, 29999, "30005"]),
        logLevel=_of(["debug", "info"]),
        chat=st.none() | _block({"baseUrl": _of(_ADDRESSES), "model": _text}),
    ),
    "frontend": _service("frontend", exposure=_exposure([30000, 30003, 32768, "30004"])),
    "metrics": _metrics,
}
_BLOCKS.update({it: _service(it) for it in Settings.model_fields if it not in _BLOCKS})


def _minimal() -> dict[str, Any]:
    return {
        # On a local cluster the file that `make up` writes would have its say too.
        "cluster": {"kind": "managed"},
        "images": {"mode": "prebuilt", "backend": "b:1", "frontend": "f:1"},
    }


def blocks(name: str) -> Tree:
    """Returns a block of the tree as people might write it."""
    return _BLOCKS[name]


@st.composite
def trees(draw: st.DrawFn) -> dict[str, Any]:
    """Draws a tree of a few blocks; with too many, hardly one would be right in all."""
    tree = _minimal()
    for block in draw(st.lists(st.sampled_from(sorted(_BLOCKS)), max_size=3, unique=True)):
        tree[block] = draw(_BLOCKS[block])
    return tree


@st.composite
def right_trees(draw: st.DrawFn) -> dict[str, Any]:
    """Draws a tree whose every value has a good chance to be right, so that most are accepted."""
    tree = _minimal()
    # An external database needs external secrets.
    for block in sorted(_BLOCKS, key="secrets".__ne__):
        for _ in range(6):
            candidate = {**tree, block: draw(_BLOCKS[block])}
            try:
                parse_settings(candidate)
            except SettingsError:
                continue
            tree = candidate
            break
    return tree
