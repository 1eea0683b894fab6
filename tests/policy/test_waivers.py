"""Rules that are not asked of some of the add-ons' objects."""

import pytest

from policy import waivers
from policy.rules import RULES, STACK_RULES, Resource
from policy.waivers import WAIVERS, Waiver, stack_violations, violations
from tests.addons.program import addon_settings, run_addons
from tests.addons.test_program import BROUGHT
from tests.policy.test_rules import resources_of

RULE = next(it for it in RULES if it.name == "labels-present")
STACK_RULE = next(it for it in STACK_RULES if it.name == "disruption-budgets")
DEPLOYMENT = "kubernetes:apps/v1:Deployment"


@pytest.fixture(autouse=True)
def charts_are_waived(monkeypatch: pytest.MonkeyPatch) -> None:
    chart = Waiver(rule="labels-present", resources="chart:*", why="Its own.")
    budget = Waiver(rule="disruption-budgets", resources="chart:*", why="One is enough.")
    monkeypatch.setattr(waivers, "WAIVERS", (chart, budget))


@pytest.mark.parametrize(("name", "asked"), [("chart:web", False), ("charted", True)])
def test_a_rule_is_asked_of_all_but_those_that_a_waiver_names(name: str, *, asked: bool) -> None:
    resource = Resource(type=DEPLOYMENT, name=name, properties={})
    assert bool([*violations(RULE, resource)]) == asked
    assert bool([*stack_violations(STACK_RULE, [resource])]) == asked


def test_a_waiver_is_of_a_rule_and_says_why() -> None:
    rules = {it.name for it in (*RULES, *STACK_RULES)}
    for it in WAIVERS:
        assert it.rule in rules
        assert it.why.endswith(".")


def test_what_the_add_ons_declare_themselves_breaks_no_rule(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waivers, "WAIVERS", WAIVERS)
    recorded = resources_of(run_addons(addon_settings("minikube")))
    # The children of a chart are seen in a preview alone, as those of published manifests are.
    own = [it for it in recorded if not it.type.startswith(BROUGHT)]
    broken = [f"{it.name} {said}" for it in own for rule in RULES for said in violations(rule, it)]
    broken += [said for rule in STACK_RULES for said in stack_violations(rule, own)]
    assert "\n".join(broken) == ""
