"""The volumes of parts: what they keep is not replaced by an update."""

from typing import Any

import pulumi
import pytest

from components.cluster.claim_guard import ClaimGuard
from tests.addons.program import addon_settings, run_addons
from tests.recording import Recorded

PARTS = {
    "registry-claim": ("registry", "storageSize", "storageClass"),
    "logs-claim": ("logs", "storage.size", "storage.storageClass"),
    "monitoring-prometheus-claim": ("monitoring", "storage.size", "storage.storageClass"),
    "monitoring-alertmanager-claim": ("monitoring", None, "storage.storageClass"),
}
"""Each claim, its part, and the settings of its size and class."""


@pytest.fixture
def guards(monkeypatch: pytest.MonkeyPatch) -> dict[str, ClaimGuard]:
    """What looks at the changes of each claim, by Pulumi's name of it."""
    found: dict[str, ClaimGuard] = {}
    options = ClaimGuard.options

    def noted(self: ClaimGuard, name: str) -> pulumi.ResourceOptions:
        found[name] = self
        return options(self, name)

    monkeypatch.setattr(ClaimGuard, "options", noted)
    return found


def claims(**parts: Any) -> dict[str, Recorded]:
    settings = addon_settings("minikube")
    for part, change in parts.items():
        settings[part] = {**settings[part], **change}
    recording = run_addons(settings)
    return {it.name: it for it in recording.resources if it.kind == "PersistentVolumeClaim"}


def change(old: Recorded, new: Recorded) -> pulumi.ResourceHookArgs:
    """As the engine has it: changes of the class are ignored."""
    spec = {**new.inputs["spec"]}
    spec.pop("storageClassName", None)
    return pulumi.ResourceHookArgs(
        urn=new.urn,
        id="",
        name=new.name,
        type=new.type,
        new_inputs={**new.inputs, "spec": spec},
        old_inputs=old.inputs,
    )


def test_another_class_is_refused_and_does_not_replace_the_volume(
    guards: dict[str, ClaimGuard],
) -> None:
    before = claims()
    fast = {"storageClass": "fast"}
    after = claims(registry=fast, logs={"storage": fast}, monitoring={"storage": fast})
    assert before.keys() == after.keys() == PARTS.keys()
    for name, (part, _, class_setting) in PARTS.items():
        assert after[name].ignore_changes == ("spec.storageClassName",)
        assert f"volume of {name}" in after[name].hooks
        with pytest.raises(pulumi.RunError) as refused:
            guards[name].refuse_other(change(before[name], after[name]))
        said = str(refused.value)
        setting = f"todo-addons:settings.{part}.{class_setting}"
        assert said.startswith(f"{setting} cannot go from default to fast by an update")
        assert f"leave {part} out of the settings" in said
        assert "\n" not in said


def test_a_smaller_size_is_refused_and_a_larger_one_is_not(
    guards: dict[str, ClaimGuard],
) -> None:
    sizes = [
        claims(registry={"storageSize": it}, logs={"storage": {"size": it}})
        for it in ("1Gi", "2Gi")
    ]
    for name in ("registry-claim", "logs-claim"):
        part, size_setting, _ = PARTS[name]
        small, large = (it[name] for it in sizes)
        guards[name].refuse_other(change(small, large))
        with pytest.raises(pulumi.RunError, match=rf"{part}\.{size_setting} cannot go from 2Gi"):
            guards[name].refuse_other(change(large, small))
