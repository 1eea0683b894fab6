"""Small pure functions: units, dumps, objects, scripts, passwords, Pulumi's messages."""

import subprocess
from typing import Any

import pytest

from console.duration import age, duration
from console.failure import Failure
from ops import scripts
from ops.commands.logs import seconds
from ops.commands.status import state_of
from ops.dumps import Content, compare, read
from ops.jobs import Script, job_of
from ops.kube import _exit_code  # pyright: ignore[reportPrivateUsage]
from ops.scram import verifier
from ops.stack import ManagedObject, objects_in
from ops.terminal import size


def test_units() -> None:
    assert (duration(4.23), duration(185)) == ("4.2 s", "3 min 05 s")
    assert (age(42), age(1020), age(18000), age(300000)) == ("42 s", "17 min", "5 h", "3 d")
    assert (size(512), size(3482), size(1288490188)) == ("512 B", "3.4 KiB", "1.2 GiB")


def test_since() -> None:
    assert (seconds("30s"), seconds("10m"), seconds("2h"), seconds("1d")) == (30, 600, 7200, 86400)
    for wrong in ("", "10", "m", "-1m", "0s", "1w"):
        with pytest.raises(Failure, match="is not a time"):
            seconds(wrong)


def test_objects_in_a_state() -> None:
    def resource(kind: str, **more: Any) -> dict[str, Any]:
        metadata = {"name": "a", "namespace": "n", "uid": "1"}
        outputs = {"apiVersion": "v1", "kind": kind, "metadata": metadata}
        return {"type": f"kubernetes:core/v1:{kind}", "outputs": outputs, **more}

    state = {
        "deployment": {
            "resources": [
                resource("Service"),
                resource("Secret", delete=True),
                {"type": "pulumi:pulumi:Stack"},
            ]
        }
    }
    assert objects_in(state) == [ManagedObject("v1", "Service", "a", "n", "1")]
    assert objects_in({"deployment": {}}) == []


def test_reading_and_comparing_a_drill() -> None:
    report = read(
        [
            "dump|old.dump|10|100",
            "dump|new.dump|20|200",
            "seconds|1500",
            "sum|live|public.todos|3|99",
            "sum|restored|public.todos|3|99",
            "sum|live|public.users|2|5",
            "sum|restored|public.users|1|4",
            "sum|live|public.new|0|0",
            "NOTICE: something else",
        ]
    )
    assert [d.name for d in report.dumps] == ["new.dump", "old.dump"]
    assert report.seconds == 1.5
    assert report.restored["public.todos"] == Content(3, "99")
    assert {c.table: c.verdict for c in compare(report)} == {
        "public.todos": "identical",
        "public.users": "different",
        "public.new": "missing in the backup",
    }


@pytest.mark.parametrize("script", [scripts.LIST, scripts.LOAD, scripts.DRILL, scripts.FRESH_DRILL])
def test_the_scripts_are_valid_shell(script: str) -> None:
    checked = subprocess.run(
        ["sh", "-n"], input=script, text=True, capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_a_job_keeps_the_cron_jobs_pod_and_has_no_secret_in_it() -> None:
    container = {"name": "backup", "command": ["x"], "env": [{"name": "DUMP", "value": "a"}]}
    template = {
        "metadata": {"labels": {"app": "backup"}},
        "spec": {"containers": [container], "serviceAccountName": "s"},
    }
    cron = {
        "metadata": {"name": "postgres-backup"},
        "spec": {"jobTemplate": {"spec": {"template": template}}},
    }
    job = job_of(cron, "drill", [Script("echo", {"DUMP": "b"})])
    pod = job["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == "s"
    assert pod["containers"][0]["env"] == [{"name": "DUMP", "value": "b"}]
    assert job["spec"]["ttlSecondsAfterFinished"] > 0
    assert container["command"] == ["x"]


def test_the_scram_verifier_is_what_postgresql_makes() -> None:
    # RFC 7677's example: user "user", password "pencil".
    import base64

    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    assert verifier("pencil", salt) == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )
    with pytest.raises(Failure, match="other characters than those of ASCII"):
        verifier("pässword")


def test_exit_codes_of_commands_in_pods() -> None:
    assert _exit_code('{"status":"Success"}') == 0
    failed = '{"status":"Failure","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}'
    assert _exit_code(failed) == 3
    with pytest.raises(Failure, match="container not found"):
        _exit_code('{"status":"Failure","message":"container not found"}')


def test_the_state_of_a_pod_in_one_word() -> None:
    waiting = {"state": {"waiting": {"reason": "ImagePullBackOff"}}}
    assert state_of({"metadata": {}, "status": {"containerStatuses": [waiting]}}) == (
        "ImagePullBackOff"
    )
    assert state_of({"metadata": {}, "status": {"phase": "Succeeded"}}) == "Completed"
    assert state_of({"metadata": {"deletionTimestamp": "x"}}) == "Terminating"
