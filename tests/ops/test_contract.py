"""The output `operations`: what is read out of it, and what is said where it does not fit."""

from typing import Any

import pytest

from console.failure import ExitCode, Failure
from ops.contract import ExternalDatabase, InClusterDatabase, operations_in
from tests.ops.stacks import outputs


def test_a_stack_with_its_database_in_the_cluster() -> None:
    operations = operations_in(outputs())
    assert [it.name for it in operations.services] == ["backend", "frontend", "database"]
    assert operations.services[0].port == 8000
    assert isinstance(operations.database, InClusterDatabase)
    assert operations.database.backup is not None


def test_a_database_outside_the_cluster_has_an_address_alone() -> None:
    address = {"mode": "external", "user": "a", "host": "db", "port": 5432, "name": "todo"}
    assert isinstance(operations_in(outputs(database=address)).database, ExternalDatabase)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, "is not deployed; run `make up`"),
        ({"namespace": "todo-app"}, "by an earlier version of the program"),
        (outputs(version=2), "output operations.version"),
        (outputs(more=1), "output operations.more"),
        (outputs(services=[{}]), "output operations.services.0.name"),
    ],
    ids=["nothing", "before", "after", "more", "less"],
)
def test_outputs_that_do_not_fit_are_said_in_a_sentence(found: dict[str, Any], said: str) -> None:
    with pytest.raises(Failure, match=said) as failure:
        operations_in(found)
    assert failure.value.code == ExitCode.UNREACHABLE
    assert "run `make up`" in str(failure.value)
