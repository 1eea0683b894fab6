"""The add-ons of a cluster: settings in, the chosen parts declared, what they offer out."""

# ruff: noqa: E402 - the repository's root has to be on the path first
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import pulumi

from addons.cluster import cluster_api, cluster_options
from addons.settings.config import load_config
from components.cluster.interruption import end_quietly

try:
    from addons.parts import declare_parts
except ModuleNotFoundError as missing:
    raise pulumi.RunError(
        f"the Python package {missing.name} is not there, which the add-ons need beside the "
        "application's: run `make addons`, which installs it"
    ) from None

end_quietly()
config = load_config(ROOT)
for name, value in declare_parts(config, cluster_api(config), cluster_options(config)).items():
    pulumi.export(name, value)
