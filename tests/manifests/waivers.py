"""What outside tools find, held against waivers.yaml."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import yaml

WAIVERS: dict[str, dict[str, dict[str, str]]] = yaml.safe_load(
    (Path(__file__).parent / "waivers.yaml").read_text(encoding="utf-8")
)


@dataclass(frozen=True, order=True)
class Finding:
    """One rule that one resource breaks."""

    rule: str
    title: str
    resource: str

    def __str__(self) -> str:
        return f"{self.rule} {self.title}: {self.resource}"


def assert_waived(tool: str, findings: Collection[Finding]) -> None:
    """Fails for a finding that has no waiver, and for a waiver that has no finding."""
    waivers = WAIVERS[tool]
    unwaived = {
        it
        for it in findings
        if it.rule not in waivers or not re.search(waivers[it.rule]["resources"], it.resource)
    }
    assert not unwaived, "\n".join(str(it) for it in sorted(unwaived))
    assert {it.rule for it in findings} == set(waivers), "a waiver is not needed"
