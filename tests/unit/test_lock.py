"""The lock of Python packages is made from what pyproject.toml asks for today."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from toolchain import OLDEST_PYTHON, lock, paths

PROJECT = tomllib.loads(paths.PYPROJECT.read_text(encoding="utf-8"))
GROUPS = {
    lock.PROGRAM: [
        *PROJECT["project"]["dependencies"],
        *(it for extra in PROJECT["project"]["optional-dependencies"].values() for it in extra),
    ],
    **PROJECT["dependency-groups"],
}


def _pinned(section: str) -> dict[str, str]:
    pins = re.findall(r"^([\w.-]+)==([^\s;]+)", lock.sections().get(section, ""), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def test_the_lock_is_current() -> None:
    assert lock.is_current(), "requirements.lock is stale: run `make lock`"


def test_the_list_that_pulumi_installs_is_current() -> None:
    written = paths.REQUIREMENTS.read_text(encoding="utf-8")
    assert written == lock.program_requirements(), "requirements.txt is stale: run `make lock`"


@pytest.mark.parametrize("group", GROUPS)
def test_what_is_asked_for_is_locked(group: str) -> None:
    pinned = _pinned(group) if group == lock.ALONE else _pinned(lock.PROGRAM) | _pinned(group)
    for requirement in map(Requirement, GROUPS[group]):
        if not requirement.name.startswith(("pulumi", PROJECT["project"]["name"])):
            version = pinned.get(canonicalize_name(requirement.name), "none")
            assert version in requirement.specifier, f"{requirement} is locked as {version}"


@pytest.mark.parametrize("section", lock.sections())
def test_every_package_has_hashes(section: str) -> None:
    for entry in re.split(r"^(?=\w)", lock.sections()[section], flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in entry


def test_pulumi_goes_with_the_plugins_on_the_machine() -> None:
    assert not any(name.startswith("pulumi") for it in lock.sections() for name in _pinned(it))
    held = re.findall(r"^(\S+)==", paths.CONSTRAINTS.read_text(encoding="utf-8"), re.MULTILINE)
    assert held == ["pulumi", "pulumi-kubernetes", "pulumi-docker-build"]


def test_set_up_refuses_the_python_that_the_project_refuses() -> None:
    oldest = ".".join(map(str, OLDEST_PYTHON))
    assert PROJECT["project"]["requires-python"] == f">={oldest}"
