"""The descriptions of the services, and what follows from them."""

import ast
from pathlib import Path
from typing import Any

import pytest

from components.todo.reach import clients, destinations
from components.todo.service import Addresses, BuiltImage, PublishedImage, ServiceDescription
from components.todo.services.all_services import services
from components.todo.services.database import NAME as DATABASE
from components.todo.settings.images import PrebuiltImages
from components.todo.settings.parse import parse_settings
from components.todo.settings.settings import WorkloadSettings
from components.values.resources import Resources
from tests.programs import STACKS, stack_settings
from tests.recording import ROOT

_RESOURCES = Resources(cpu_request="1", cpu_limit="1", memory_request="1Gi", memory_limit="1Gi")


def stateless(stack: str) -> dict[str, ServiceDescription]:
    described = services(parse_settings(stack_settings(stack)))
    return {it.name: it for it in described if isinstance(it, ServiceDescription)}


def described(name: str, **more: Any) -> ServiceDescription:
    image = PublishedImage(reference=f"{name}:1")
    return ServiceDescription(name=name, image=image, resources=_RESOURCES, **more)


@pytest.mark.parametrize("stack", STACKS)
def test_services_wait_for_and_reach_services_that_there_are(stack: str) -> None:
    described = services(parse_settings(stack_settings(stack)))
    before = set[str]()
    for service in described:
        if isinstance(service, ServiceDescription):
            assert set(service.waits_for) <= before
            destinations(described, service, "todo")
        before.add(service.name)


@pytest.mark.parametrize("stack", STACKS)
def test_settings_count_those_that_connect_to_the_database(stack: str) -> None:
    """By these the server's connections and the pools are sized."""
    blocks: dict[str, WorkloadSettings] = {
        name: block
        for name, block in parse_settings(stack_settings(stack))
        if isinstance(block, WorkloadSettings)
    }
    reaching = {name for name, it in stateless(stack).items() if DATABASE in it.reaches}
    assert {name for name, block in blocks.items() if block.connects_to_database} == reaching


def test_every_image_that_is_built_may_be_a_prebuilt_one() -> None:
    places = set(PrebuiltImages.model_fields) - {"mode", "pull_secrets", "signature"}
    built = {name for name, it in stateless("minikube").items() if isinstance(it.image, BuiltImage)}
    assert places == built
    for name in built:
        assert (ROOT / "apps" / name / "Dockerfile").is_file()


def test_a_service_admits_those_that_reach_it() -> None:
    cache, worker, page = (
        described("cache", port=6379),
        described("worker", reaches=["cache"]),
        described("page", port=80),
    )
    (client,) = clients([cache, worker, page], cache, "shop")
    assert client["app.kubernetes.io/name"] == "worker"
    assert clients([cache, worker, page], page, "shop") == []
    ((peer, port),) = destinations([cache, worker, page], worker, "shop")
    assert (peer, port) == (
        {"app.kubernetes.io/name": "cache", "app.kubernetes.io/instance": "shop"},
        6379,
    )


def test_addresses_outside_are_reached_on_one_port() -> None:
    service = described("mailer", reaches=[Addresses(cidr="192.0.2.0/24", port=587)])
    ((_, port),) = destinations([service], service, "shop")
    assert port == 587


@pytest.mark.parametrize("others", [[], [described("cache")]])
def test_what_nobody_can_connect_to_is_not_reached(others: list[ServiceDescription]) -> None:
    service = described("worker", reaches=["cache"])
    with pytest.raises(ValueError, match="worker reaches cache, which"):
        destinations([service, *others], service, "shop")


def _matches(path: Path) -> list[ast.Match]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Match)]


@pytest.mark.parametrize(
    "path",
    [path for path in sorted((ROOT / "components").rglob("*.py")) if _matches(path)],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_case_that_nobody_thought_of_stops_the_program(path: Path) -> None:
    """And pyright before: assert_never takes only what cannot be there."""
    for match in _matches(path):
        last = match.cases[-1]
        assert ast.unparse(last.pattern) == "_"
        assert ast.unparse(last.body[-1]).startswith("assert_never(")


def test_no_mode_is_asked_for_by_name() -> None:
    """`if it.mode == …` has an else for what nobody thought of; `match` and assert_never do not."""
    for path in (ROOT / "components").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Compare):
                operands = [node.left, *node.comparators]
                asked = [it for it in operands if isinstance(it, ast.Attribute)]
                assert "mode" not in [it.attr for it in asked], f"{path}:{node.lineno}"


def test_a_mode_that_only_its_union_knows_deploys_nothing() -> None:
    class Unknown:
        mode = "unknown"

    settings = parse_settings(stack_settings("minikube"))
    frontend = settings.frontend.model_copy(update={"exposure": Unknown()})
    for changed in ({"database": Unknown()}, {"frontend": frontend}):
        with pytest.raises(AssertionError):
            services(settings.model_copy(update=changed))
