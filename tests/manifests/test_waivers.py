"""Waivers are few, reasoned, and needed."""

import pytest

from tests.manifests.waivers import WAIVERS, Finding, assert_waived


def test_waivers_have_reasons() -> None:
    for rules in WAIVERS.values():
        assert all(len(waiver["reason"]) > 20 for waiver in rules.values())


def test_findings_and_waivers_must_match(monkeypatch: pytest.MonkeyPatch) -> None:
    waiver = {"resources": "postgres$", "reason": "of the test"}
    monkeypatch.setitem(WAIVERS, "tool", {"rule": waiver})
    server, other = Finding("rule", "Rule", "postgres"), Finding("rule", "Rule", "backend")
    assert_waived("tool", [server])
    with pytest.raises(AssertionError, match="rule Rule: backend"):
        assert_waived("tool", [server, other])
    with pytest.raises(AssertionError, match="not needed"):
        assert_waived("tool", [])
