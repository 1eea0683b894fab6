"""What is built where no registry answers is what the settings name elsewhere."""

import re

import pytest

from addons.settings.parse import parse_settings
from distribution import recipes
from distribution.addon_parts import PARTS
from tests.addons.program import addon_settings
from toolchain import paths

IMAGES = [(key, path) for key, it in PARTS.items() for path in it.images]


def of_settings(key: str, path: str) -> str:
    """The image that a part has where its stack file leaves it open."""
    found = parse_settings(addon_settings("minikube")).model_dump(by_alias=True)[key]
    for step in path.split("."):
        found = found[step]
    return found


@pytest.mark.parametrize(("key", "path"), IMAGES)
def test_a_stand_in_is_of_the_version_that_the_settings_name(key: str, path: str) -> None:
    assert PARTS[key].images[path].official == of_settings(key, path)


@pytest.mark.parametrize(("key", "path"), IMAGES)
def test_what_a_stand_in_is_built_of_is_of_its_version(key: str, path: str) -> None:
    """As its module is numbered: Prometheus 3.16 is v0.316."""
    image = PARTS[key].images[path]
    if image.recipe is None:
        return
    text = (paths.MODULES / recipes.RECIPES[image.recipe].module / "go.mod").read_text()
    tag = re.sub(r"^(distroless-)?v?", "", image.official.rpartition(":")[2])
    numbers = {tag, re.sub(r"^3\.(\d+)\.0$", r"0.3\1.0", tag)}
    assert numbers & set(re.findall(r" v(\d+\.\d+\.\d+)\b", text))
