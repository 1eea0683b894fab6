"""The picture of a stack: what is in it, which arrows, and whether the committed one is current."""

import copy
import dataclasses
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from console.failure import ExitCode, Failure
from tests.programs import run_program, stack_settings
from tests.recording import ROOT, Recording
from tools.graph.__main__ import main
from tools.graph.architecture import picture
from tools.graph.diagram import Box, Diagram, Pile
from tools.graph.dot import dot_text, render
from tools.graph.resources import resources_of

COMMITTED = ROOT / "docs/images/architecture.svg"
SVG = "{http://www.w3.org/2000/svg}"
FRONTEND_TO_BACKEND = ("Deployment/frontend", "Service/backend", "8000")
BACKEND_TO_DATABASE = ("Deployment/backend", "Service/postgres", "5432")
IN_TO_FRONTEND = ("from/0.0.0.0/0", "Service/frontend", "30000")


@pytest.fixture(scope="module")
def minikube() -> Recording:
    return run_program(stack_settings("minikube"), stack="minikube")


@pytest.fixture(scope="module")
def cloud() -> Recording:
    return run_program(stack_settings("cloud"), stack="cloud")


@pytest.fixture
def changed(minikube: Recording) -> Recording:
    """A recording that a test may change."""
    return copy.deepcopy(minikube)


def draw(recording: Recording) -> Diagram:
    return picture(resources_of(recording))


def traffic(recording: Recording) -> set[tuple[str, str, str]]:
    return {(it.tail, it.head, it.label) for it in draw(recording).arrows if it.traffic}


def uses(recording: Recording) -> set[tuple[str, str]]:
    return {(it.tail, it.head) for it in draw(recording).arrows if not it.traffic}


def spec(recording: Recording, kind: str, name: str) -> dict[str, Any]:
    return recording.one(kind, name).inputs["spec"]


def boxes(members: tuple[Box | Pile, ...], above: str = "") -> Iterator[tuple[str, Box]]:
    """Every box with its path."""
    for member in members:
        if isinstance(member, Box):
            path = f"{above} > {member.name}".removeprefix(" > ")
            yield path, member
            yield from boxes(member.members, path)


def test_traffic_goes_from_tier_to_tier(minikube: Recording) -> None:
    assert traffic(minikube) == {
        IN_TO_FRONTEND,
        ("from/0.0.0.0/0", "Service/backend", "30001"),
        FRONTEND_TO_BACKEND,
        BACKEND_TO_DATABASE,
        ("CronJob/postgres-backup", "Service/postgres", "5432"),
    }


def test_traffic_of_the_cloud_stack(cloud: Recording) -> None:
    assert traffic(cloud) == {
        ("from/0.0.0.0/0", "HTTPRoute/frontend", "todo.example.com"),
        ("from/monitoring", "Deployment/backend", "9000"),
        ("from/monitoring", "Deployment/frontend", "9000"),
        FRONTEND_TO_BACKEND,
        ("Deployment/backend", "to/10.0.0.0/8:5432", "5432"),
    }
    outside = {(it.kind, it.name) for it in draw(cloud).outside}
    assert ("External database", "todo.db.example.com") in outside
    details = {card.id: card.detail for _, pile in draw(cloud).piles() for card in pile.cards}
    assert details["HTTPRoute/frontend"] == "Gateway public"
    assert details["Deployment/backend"] == "2–10 pods"  # noqa: RUF001


def test_the_gateway_s_namespace_comes_in_by_the_route() -> None:
    settings = stack_settings("cloud")
    settings["frontend"]["exposure"]["fromNamespace"] = "gateway-system"
    found = traffic(run_program(settings, stack="cloud"))
    assert ("from/0.0.0.0/0", "HTTPRoute/frontend", "todo.example.com") in found
    assert {tail for tail, _, _ in found if "/frontend" not in tail} == {
        "from/0.0.0.0/0",
        "from/monitoring",
        "Deployment/backend",
    }


def test_workloads_use_images_and_volumes(minikube: Recording) -> None:
    assert uses(minikube) == {
        ("Deployment/frontend", "ContainerImage/frontend-image"),
        ("Deployment/backend", "ContainerImage/backend-image"),
        ("StatefulSet/postgres", "PersistentVolumeClaim/data-postgres-0"),
        ("CronJob/postgres-backup", "PersistentVolumeClaim/postgres-backup"),
    }


def test_a_claim_that_is_not_the_stack_s_has_no_arrow(changed: Recording) -> None:
    claim = {"name": "shared", "persistentVolumeClaim": {"claimName": "somebody-else-s"}}
    pod = spec(changed, "Deployment", "backend")["template"]["spec"]
    pod["volumes"] = [*pod["volumes"], claim]
    assert ("Deployment/backend", "ContainerImage/backend-image") in uses(changed)
    assert "somebody-else-s" not in dot_text(draw(changed))


@pytest.mark.parametrize(("replicas", "said"), [(1, "1 pod"), (2, "2 pods"), (11, "11 pods")])
def test_how_many_pods(changed: Recording, replicas: int, said: str) -> None:
    spec(changed, "Deployment", "backend")["replicas"] = replicas
    details = {card.id: card.detail for _, pile in draw(changed).piles() for card in pile.cards}
    assert details["Deployment/backend"] == said


def test_components_are_boxes_in_boxes(minikube: Recording) -> None:
    found = dict(boxes(draw(minikube).members))
    assert set(found) == {
        "todo",
        "todo > todo-app",
        "todo > todo-app > frontend",
        "todo > todo-app > backend",
        "todo > todo-app > postgres",
    }
    backend = found["todo > todo-app > backend"]
    (pile,) = backend.members
    assert isinstance(pile, Pile)
    assert [it.id for it in pile.cards] == ["Service/backend", "Deployment/backend"]
    assert backend.rest == (
        "2 × NetworkPolicy",  # noqa: RUF001
        "PodDisruptionBudget",
        "Secret backend-secrets",
    )
    assert "2 × NetworkPolicy" in found["todo > todo-app"].rest  # noqa: RUF001


def test_the_order_of_registration_changes_nothing(changed: Recording) -> None:
    before = dot_text(draw(changed))
    changed.resources.reverse()
    assert dot_text(draw(changed)) == before


@pytest.mark.parametrize(
    ("policy", "direction"), [("backend-egress", "egress"), ("postgres-ingress", "ingress")]
)
def test_both_ends_have_to_allow_a_connection(
    changed: Recording, policy: str, direction: str
) -> None:
    spec(changed, "NetworkPolicy", policy)[direction] = []
    assert BACKEND_TO_DATABASE not in traffic(changed)
    assert FRONTEND_TO_BACKEND in traffic(changed)


def test_without_policies_everybody_may_connect(changed: Recording) -> None:
    changed.resources = [r for r in changed.resources if r.kind != "NetworkPolicy"]
    assert ("Deployment/frontend", "Service/postgres", "5432") in traffic(changed)


def test_a_node_port_that_no_policy_opens_is_no_way_in(changed: Recording) -> None:
    spec(changed, "NetworkPolicy", "frontend-ingress")["ingress"] = []
    assert IN_TO_FRONTEND not in traffic(changed)


def test_a_policy_that_opens_a_cluster_ip_is_no_way_in(changed: Recording) -> None:
    spec(changed, "Service", "frontend")["type"] = "ClusterIP"
    assert IN_TO_FRONTEND not in traffic(changed)


def test_an_ingress_is_a_way_in(changed: Recording) -> None:
    frontend = changed.one("Service", "frontend")
    service = {"name": "frontend", "port": {"name": "http"}}
    rule = {"host": "todo.example.com", "http": {"paths": [{"backend": {"service": service}}]}}
    ingress = dataclasses.replace(
        frontend,
        urn=frontend.urn.replace("-service", "-ingress"),
        type="kubernetes:networking.k8s.io/v1:Ingress",
        inputs={**frontend.inputs, "kind": "Ingress", "spec": {"rules": [rule]}},
    )
    changed.resources.append(ingress)
    spec(changed, "Service", "frontend")["type"] = "ClusterIP"
    assert ("from/0.0.0.0/0", "Ingress/frontend", "todo.example.com") in traffic(changed)


@pytest.mark.parametrize(
    ("ports", "drawn"),
    [
        ([], True),
        ([{"protocol": "TCP"}], True),
        ([{"port": "postgres"}], True),
        ([{"port": 5000, "endPort": 6000}], True),
        ([{"port": 5433}], False),
        ([{"port": "http"}], False),
        ([{"protocol": "UDP", "port": 5432}], False),
        ([{"port": 5433, "endPort": 6000}], False),
    ],
)
def test_ports_of_a_policy(changed: Recording, ports: list[dict[str, Any]], drawn: bool) -> None:
    spec(changed, "NetworkPolicy", "backend-egress")["egress"][0]["ports"] = ports
    assert (BACKEND_TO_DATABASE in traffic(changed)) is drawn


NAME = "app.kubernetes.io/name"


@pytest.mark.parametrize(
    ("peer", "drawn"),
    [
        ({"podSelector": {}}, True),
        ({"namespaceSelector": {}}, True),
        (
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "todo-app"}}},
            True,
        ),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "x"}}}, False),
        ({"ipBlock": {"cidr": "0.0.0.0/0"}}, False),
        ({"podSelector": {"matchLabels": {NAME: "mysql"}}}, False),
        (
            {
                "podSelector": {
                    "matchExpressions": [{"key": NAME, "operator": "In", "values": ["postgres"]}]
                }
            },
            True,
        ),
        (
            {
                "podSelector": {
                    "matchExpressions": [{"key": NAME, "operator": "NotIn", "values": ["postgres"]}]
                }
            },
            False,
        ),
        ({"podSelector": {"matchExpressions": [{"key": NAME, "operator": "Exists"}]}}, True),
        ({"podSelector": {"matchExpressions": [{"key": NAME, "operator": "DoesNotExist"}]}}, False),
    ],
)
def test_peers_of_a_policy(changed: Recording, peer: dict[str, Any], drawn: bool) -> None:
    spec(changed, "NetworkPolicy", "backend-egress")["egress"][0]["to"] = [peer]
    assert (BACKEND_TO_DATABASE in traffic(changed)) is drawn


def texts(diagram: Diagram) -> Counter[str]:
    """Every text that a reader of the picture should find."""
    found = Counter[str](it.label for it in diagram.arrows if it.label)
    for _, pile in diagram.piles():
        found.update(t for c in pile.cards for t in (c.kind, c.name, c.detail) if t)
        found.update("▼" for _ in pile.cards[1:])
    for _, box in boxes(diagram.members):
        found.update([f"{box.kind} {box.name}", *box.rest])
    return found


def arrows(diagram: Diagram) -> Counter[tuple[str, str]]:
    """Every arrow that should be there, between piles."""
    piles = {card.id: pile.id for _, pile in diagram.piles() for card in pile.cards}
    return Counter((piles[it.tail], piles[it.head]) for it in diagram.arrows)


def texts_in(svg: str) -> Counter[str]:
    root = ElementTree.fromstring(svg)  # noqa: S314 - written by the tool under test
    return Counter(" ".join((it.text or "").split()) for it in root.iter(f"{SVG}text"))


def arrows_in(svg: str) -> Counter[tuple[str, str]]:
    root = ElementTree.fromstring(svg)  # noqa: S314
    edges = [it for it in root.iter(f"{SVG}g") if it.get("class") == "edge"]
    titles = [it.findtext(f"{SVG}title", "") for it in edges]
    ends = [re.sub(r"(:c\d+)?(:[ew])?(?=->|$)", "", it).split("->") for it in titles]
    return Counter((tail, head) for tail, head in ends)


def test_the_committed_picture_is_current(minikube: Recording) -> None:
    svg = COMMITTED.read_text(encoding="utf-8")
    diagram = draw(minikube)
    old = "The program changed: run `make graph`, and look at the new picture."
    assert texts_in(svg) == texts(diagram), old
    assert arrows_in(svg) == arrows(diagram), old


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
@pytest.mark.parametrize("stack", ["minikube", "cloud"])
def test_graphviz_draws_everything(stack: str, request: pytest.FixtureRequest) -> None:
    diagram = draw(request.getfixturevalue(stack))
    svg = render(dot_text(diagram), "svg").decode()
    assert texts_in(svg) == texts(diagram)
    assert arrows_in(svg) == arrows(diagram)


def run(out: Path, *arguments: str) -> None:
    main(["--out", str(out), *arguments])


@pytest.fixture
def without_graphviz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to write to, on a machine without Graphviz."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("stack", ["minikube", "cloud"])
def test_dot_needs_no_graphviz(without_graphviz: Path, stack: str) -> None:
    out = without_graphviz / "architecture.dot"
    run(out, "--stack", stack)
    assert out.read_text(encoding="utf-8").startswith(f'digraph "todo-{stack}" {{')


def test_without_graphviz_it_says_what_to_install(without_graphviz: Path) -> None:
    out = without_graphviz / "architecture.svg"
    with pytest.raises(Failure, match="install Graphviz"):
        run(out)
    assert not out.exists()


def test_an_ending_that_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"has to end in \.svg, \.png, \.pdf or \.dot") as failure:
        run(tmp_path / "architecture.txt")
    assert failure.value.code == ExitCode.USAGE


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="cannot be written"):
        run(tmp_path / "missing" / "architecture.dot")
