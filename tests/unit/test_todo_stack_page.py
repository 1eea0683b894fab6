"""docs/components/todo-stack.md says what there is."""

import re
from dataclasses import fields

import pytest

from components.todo.service import ServiceDescription
from tests.programs import STACKS, run_program, stack_settings
from tests.recording import ROOT

PAGE = (ROOT / "docs/components/todo-stack.md").read_text(encoding="utf-8")


def first_cells(heading: str) -> set[str]:
    """Returns what is in backticks in the first column of the tables below a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| ")]
    return {name for row in rows for name in re.findall("`(.+?)`", row)}


def test_every_field_of_a_service_is_described() -> None:
    kinds = {"ServiceDescription", "PostgresService", "ExternalService"}
    assert first_cells("A service") - kinds == {field.name for field in fields(ServiceDescription)}


@pytest.mark.parametrize("stack", STACKS)
def test_every_output_is_described(stack: str) -> None:
    assert set(run_program(stack_settings(stack)).outputs) <= first_cells("Outputs")
