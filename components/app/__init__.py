"""A stateless application: its Deployment, Service, and all that goes with them."""

from .app_deployment import AppDeployment
from .args import CONFIG_PATH, AppDeploymentArgs

__all__ = ["CONFIG_PATH", "AppDeployment", "AppDeploymentArgs"]
