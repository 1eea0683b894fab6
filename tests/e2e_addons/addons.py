"""The add-ons of the cluster, as `make addons` has deployed them."""

import os

from tests.e2e.deployment import PROJECT, Deployment

ADDONS = Deployment(project=PROJECT / "addons", stack=os.environ.get("ADDONS_STACK", "minikube"))
"""Their own program, for what is asked of Pulumi."""
FILE = ADDONS.project / f"Pulumi.{ADDONS.stack}.yaml"
"""Their stack file."""
