"""A clone of the project, to edit and commit in."""

import shutil
import subprocess
from pathlib import Path

from tests.commands import how_it_ended
from tests.e2e.deployment import PROJECT


def clone(folder: Path) -> Path:
    """Returns a clone in a folder, as the project is, uncommitted changes included."""
    target = folder / "project"
    _git("clone", "--quiet", str(PROJECT), str(target), folder=folder)
    for name in _git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if (PROJECT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, target / name)
    for name in (".local", ".venv"):
        (target / name).symlink_to(PROJECT / name)
    _git("config", "user.name", "Tests", folder=target)
    _git("config", "user.email", "tests@example.org", folder=target)
    _git("add", "--all", folder=target)
    _git("commit", "--quiet", "--allow-empty", "--message", "As deployed", folder=target)
    return target


def _git(*arguments: str, folder: Path = PROJECT) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, how_it_ended(done)
    return done.stdout
