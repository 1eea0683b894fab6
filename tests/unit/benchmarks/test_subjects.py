"""What single measurements read and write."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.edits import cold
from bench.helm import chart_template
from bench.manifests import moved
from bench.memory import of_pods, of_processes
from bench.restores import megabytes_wanted, seconds_stopped
from bench.small_settings import settings


def test_a_cold_build_repeats_every_step_and_uses_no_mounted_cache() -> None:
    for service in ("backend", "frontend"):
        given = Path(f"apps/{service}/Dockerfile").read_text()
        assert "type=cache" in given
        once = cold(given, "one")
        assert "type=cache" not in once
        stages = [n for n, line in enumerate(once.splitlines()) if line.startswith("FROM ")]
        assert stages
        assert all(once.splitlines()[n + 1] == "ENV COLD=one" for n in stages)
        assert cold(once, "two") == once.replace("COLD=one", "COLD=two")


_SERVICE: dict[str, Any] = {
    "kind": "Service",
    "metadata": {"name": "a", "namespace": "todo", "annotations": {"pulumi.com/x": "y"}},
    "spec": {"ports": [{"port": 80, "nodePort": 30000}, {"port": 81}]},
}


def test_a_peer_gets_the_same_objects_where_they_collide_with_nothing() -> None:
    namespace = {"kind": "Namespace", "metadata": {"name": "todo"}}
    found = moved([namespace, _SERVICE], "peers", ports_from=30900)
    assert found == [
        {"kind": "Namespace", "metadata": {"name": "peers"}},
        {
            "kind": "Service",
            "metadata": {"name": "a", "namespace": "peers"},
            "spec": {"ports": [{"port": 80, "nodePort": 30900}, {"port": 81}]},
        },
    ]
    assert _SERVICE["metadata"]["namespace"] == "todo"


def test_a_chart_has_all_but_the_namespace_and_nothing_that_helm_would_replace() -> None:
    script = {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "{{ .Values.x }}"}}
    text = chart_template([{"kind": "Namespace", "metadata": {"name": "n"}}, script])
    assert yaml.safe_load(text.replace('{{ "{{" }}', "{{")) == script
    assert "{{ .Values" not in text


def test_pods_of_a_workload_are_numbered_and_others_namespaces_left_out() -> None:
    def pod(name: str, mebibytes: int, namespace: str = "todo") -> dict[str, object]:
        memory = {"workingSetBytes": mebibytes * 1024**2}
        return {"podRef": {"name": name, "namespace": namespace}, "memory": memory}

    ended = {"podRef": {"name": "backup-1", "namespace": "todo"}}
    nodes = [
        {"pods": [pod("backend-7d-x", 90), pod("postgres-0", 60), ended]},
        {"pods": [pod("backend-7d-y", 80), pod("coredns-1", 20, "kube-system")]},
    ]
    assert of_pods(nodes, "todo") == {"backend 1": 80, "backend 2": 90, "postgres": 60}


def test_processes_of_a_name_count_together_and_one_that_ended_does_not(tmp_path: Path) -> None:
    def process(number: int, name: str, kibibytes: int) -> None:
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "cmdline").write_text(f"/usr/bin/{name}\0--root=/\0")
        (folder / "smaps_rollup").write_text(f"Rss: 9 kB\nPss:  {kibibytes} kB\nPss_Anon: 1 kB\n")

    (tmp_path / "7/task/7").mkdir(parents=True)
    (tmp_path / "7/task/7/children").write_text("10 11 12 13 ")
    process(10, "etcd", 1024)
    process(11, "containerd-shim", 512)
    process(12, "containerd-shim", 512)
    assert of_processes(tmp_path, 7) == {"containerd-shim": 1.0, "etcd": 1.0}


@pytest.mark.parametrize(
    ("printed", "seconds"),
    [("the backend was stopped for 14.2 s\n", 14.2), ("stopped for 1 min 05 s", 65.0)],
)
def test_how_long_the_backend_was_stopped_is_read(printed: str, seconds: float) -> None:
    assert (
        seconds_stopped(f"loaded\n{printed}".replace("\nstopped", "\nthe backend was stopped"))
        == seconds
    )


def test_a_restore_that_says_nothing_is_no_restore() -> None:
    with pytest.raises(SystemExit, match="did not say"):
        seconds_stopped("restored")


def test_the_stack_for_measuring_has_the_limits_of_the_deployed_one_and_a_place_of_its_own() -> (
    None
):
    given = yaml.safe_load(Path("Pulumi.minikube.yaml").read_text())["config"]["todo:settings"]
    given["backend"]["resources"] = {"cpuLimit": "2", "cpuRequest": "1"}
    found = settings(given, {"frontend": "f:1", "backend": "b:1"})
    assert found["namespace"] == {"name": "todo-bench"}
    assert found["backend"]["resources"]["cpuLimit"] == "2"
    assert found["frontend"]["resources"]["cpuLimit"] == "200m"
    assert found["backend"]["exposure"]["port"] != given["backend"]["exposure"]["port"]
    assert found["images"] == {"mode": "prebuilt", "frontend": "f:1", "backend": "b:1"}
    assert given["images"] == {"mode": "load"}


@pytest.mark.parametrize("text", ["x", "", "0", "-1", "1.5", "99999"])
def test_what_is_no_size_of_a_database_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("BENCH_RESTORE_MB", text)
    with pytest.raises(SystemExit, match="set it to a number of MiB from 1 to 1536"):
        megabytes_wanted()


def test_a_person_may_restore_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BENCH_RESTORE_MB", raising=False)
    assert megabytes_wanted() == 1024
    monkeypatch.setenv("BENCH_RESTORE_MB", "100")
    assert megabytes_wanted() == 100
