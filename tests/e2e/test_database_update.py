"""Updates of the database: what is wrong is said, what is corrected heals, the data stays."""

from pathlib import Path

from tests.commands import how_it_ended
from tests.e2e.deployment import Deployment

_NAME = "todo:settings.database.{}"


def _set(workspace: Deployment, setting: str, value: str) -> None:
    done = workspace.pulumi("config", "set", "--path", _NAME.format(setting), value)
    assert done.returncode == 0, how_it_ended(done)


def _own_overrides(workspace: Deployment) -> Path:
    """Gives the clone a copy of the machine's settings, which are a link to the project's."""
    folder = workspace.project / ".local"
    target = folder.resolve()
    folder.unlink()
    folder.mkdir()
    for entry in target.iterdir():
        if entry.name.startswith("settings"):
            (folder / entry.name).write_text(entry.read_text())
        else:
            (folder / entry.name).symlink_to(entry)
    return folder


def _set_image(workspace: Deployment, image: str, other: str) -> None:
    """Changes the image wherever it is said: in the stack's file or in the machine's settings."""
    _set(workspace, "image", other)
    for path in (workspace.project / ".local").glob("settings*.json"):
        path.write_text(path.read_text().replace(f'"{image}"', f'"{other}"'))


def test_a_bad_image_fails_with_the_reason_and_the_correction_heals(
    deployment: Deployment, workspace: Deployment
) -> None:
    image = deployment.image("database")
    _own_overrides(workspace)
    bad = f"{image.partition('@')[0].rpartition(':')[0]}:17-nope"
    _set_image(workspace, image, bad)
    for _ in range(2):  # it is still broken when nothing has changed since
        broken = workspace.pulumi("up", "--yes", "--skip-preview")
        assert broken.returncode != 0
        assert "the database does not run" in broken.stdout, how_it_ended(broken)
        assert "postgres-0" in broken.stdout
        assert "nope" in broken.stdout

    _set_image(workspace, bad, image)
    workspace.up()
    assert deployment.image("database") == image
    assert deployment.sql("select 1") == "1"


def test_what_the_volume_decides_is_refused_before_anything_is_changed(
    deployment: Deployment, workspace: Deployment
) -> None:
    before = deployment.pods()
    for setting, value in (("name", "other"), ("user", "someone"), ("storage.size", "7Gi")):
        _set(workspace, setting, value)
        for command in (("preview",), ("up", "--yes", "--skip-preview")):
            refused = workspace.pulumi(*command)
            assert refused.returncode != 0
            said = f"todo:settings.database.{setting} cannot go from"
            assert said in refused.stdout, how_it_ended(refused)
        workspace.pulumi("config", "rm", "--path", _NAME.format(setting))
    assert deployment.pods() == before


def test_the_applications_role_is_no_superuser(deployment: Deployment) -> None:
    done = deployment.ops("separate-roles", "--yes")  # a volume of an earlier version
    assert done.returncode == 0, how_it_ended(done)
    query = "select rolsuper from pg_roles where rolname = 'todo'"
    assert deployment.sql(query) == "f"
    deployment.kubectl("rollout", "restart", "deployment/backend")
    deployment.wait_ready()
    checked = deployment.ops("validate", "--no-drift")
    assert checked.returncode == 0, how_it_ended(checked)
    deployment.up("--refresh")
