"""The library as others get it: a wheel, with what it asks for and no more in its environment."""

import fcntl
import filecmp
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path

import pytest

from toolchain import lock, paths, python_env


@dataclass(frozen=True)
class Wheel:
    """A wheel of the library."""

    path: Path

    @property
    def files(self) -> list[str]:
        """What is in it."""
        with zipfile.ZipFile(self.path) as archive:
            return archive.namelist()

    @property
    def requirements(self) -> list[str]:
        """What it asks for, extras included."""
        (metadata,) = (it for it in self.files if it.endswith(".dist-info/METADATA"))
        with zipfile.ZipFile(self.path) as archive:
            message = Parser().parsestr(archive.read(metadata).decode())
        return message.get_all("Requires-Dist", [])


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Wheel:
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation")
    done = subprocess.run(
        [*pip, "--wheel-dir", folder, paths.PROJECT], capture_output=True, text=True
    )
    assert done.returncode == 0, f"{done.stderr}\n`make test` installs what building needs"
    return Wheel(next(folder.glob("*.whl")))


@pytest.fixture(scope="session")
def strangers_python(wheel: Wheel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has the library and what it asks for, in the locked versions; no more."""
    home = paths.LOCAL / "library-venv"
    folder = tmp_path_factory.mktemp("requirements")
    requirements, constraints = folder / "requirements.txt", folder / "constraints.txt"
    requirements.write_text("\n".join(it for it in wheel.requirements if "extra ==" not in it))
    # Constraints have no hashes, or pip would ask for that of Pulumi, too.
    pins = re.findall(r"^[\w.-]+==[^\s;]+", lock.sections()[lock.PROGRAM], re.MULTILINE)
    constraints.write_text("\n".join(pins))
    paths.LOCAL.mkdir(exist_ok=True)
    with (paths.LOCAL / "library-venv.lock").open("w") as alone:
        # Other tests, in another process, may want it, too; they find it installed.
        fcntl.flock(alone, fcntl.LOCK_EX)
        asked = home / "asked-for.txt"
        if not (asked.exists() and asked.read_text() == requirements.read_text()):
            shutil.rmtree(home, ignore_errors=True)  # what is no longer asked for goes
        python_env.install(home, [requirements], [constraints, paths.CONSTRAINTS])
        shutil.copyfile(requirements, asked)
        python, installed = home / "bin" / "python", home / "installed.whl"
        if not (installed.exists() and filecmp.cmp(installed, wheel.path, shallow=False)):
            pip = (python, "-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall")
            subprocess.run([*pip, "--no-index", wheel.path], check=True)
            shutil.copyfile(wheel.path, installed)
    return python
