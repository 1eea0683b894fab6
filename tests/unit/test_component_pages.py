"""The pages about what components share: their examples run, and declare what their tables say."""

import re

import pytest

from policy.rules import RULES, Resource
from tests.recording import ROOT, Recording, record

PAGES = {
    "namespace": {
        ("Namespace", "shop", "shop-namespace"),
        ("ResourceQuota", "shop", "shop-quota"),
        ("LimitRange", "shop", "shop-limits"),
    },
    "network": {
        ("NetworkPolicy", "default-deny", "shop-default-deny"),
        ("NetworkPolicy", "allow-dns", "shop-allow-dns"),
        ("NetworkPolicy", "shop-ingress", "shop-ingress-policy"),
        ("NetworkPolicy", "shop-egress", "shop-egress-policy"),
    },
    "secrets": {
        ("Secret", None, "shop-secrets"),
        ("ExternalSecret", "mailer", "mailer-external-secret"),
    },
}


def run(page: str) -> Recording:
    text = (ROOT / f"docs/components/{page}.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    code = example.replace("kubernetes_app_components", "components")
    return record(lambda: exec(code, {}), {"todo:apiKey": "k"})  # noqa: S102


@pytest.mark.parametrize("page", PAGES)
def test_the_example_of_a_page_declares_what_the_page_names(page: str) -> None:
    recording = run(page)
    kinds = {kind for kind, _, _ in PAGES[page]}
    found = {(r.kind, r.kubernetes_name, r.name) for r in recording.resources if r.kind in kinds}
    assert found == PAGES[page]


@pytest.mark.parametrize("page", PAGES)
def test_the_example_of_a_page_keeps_the_rules(page: str) -> None:
    resources = [
        Resource(type=r.type, name=r.name, properties=r.inputs) for r in run(page).resources
    ]
    assert [line for rule in RULES for it in resources for line in rule.check(it)] == []
