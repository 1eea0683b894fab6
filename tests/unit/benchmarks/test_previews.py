"""How previews are measured: with commands that do nothing."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bench import previews

_VARIABLE = "PULUMI_SKIP_CHECKPOINTS"


def test_only_previews_go_without_checkpoints_and_pulumis_own_way_is_shown_beside_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In an update they are what remains of it when it is broken off."""
    asked: list[tuple[str, str, bool]] = []

    def command(*arguments: str, cwd: Path, environment: Mapping[str, str]) -> str:
        stack = arguments[arguments.index("--stack") + 1]
        asked.append((arguments[1], stack, _VARIABLE in environment))
        return ""

    monkeypatch.setattr(previews, "command", command)
    without, with_checkpoints = previews.measure(None, 1)
    assert {what for what, _, skips in asked if skips} == {"preview"}
    assert [stack for what, stack, skips in asked if what == "preview" and not skips] == [
        "many-200",
        "many-50",
    ]
    assert isinstance(without, previews.Row)
    assert isinstance(with_checkpoints, previews.Row)
    assert _VARIABLE in without.note
    assert _VARIABLE not in with_checkpoints.note
