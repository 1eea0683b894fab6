"""The whole program, once for each stack file."""

import pytest

from tests.programs import STACKS, run_program, stack_settings


@pytest.mark.parametrize("stack", STACKS)
def test_program_runs(stack: str) -> None:
    recording = run_program(stack_settings(stack), stack=stack)
    assert {"frontend", "backend"} <= {r.kubernetes_name for r in recording.of("Deployment")}
    assert recording.outputs["namespace"] == "todo-app"
