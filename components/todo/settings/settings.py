"""The typed settings of a stack.

`todo:settings` in `Pulumi.<stack>.yaml` is validated into a `Settings` tree before any resource is
registered; `components/todo/settings/config.py` reads it.
"""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, Self, TypeVar

from pydantic import Field, field_validator, model_validator

from cluster_objects.stack_mark import ANNOTATION_PREFIX
from components.todo.names import BACKEND, FRONTEND, NODE_PORTS
from components.todo.settings.cluster import ClusterSettings
from components.todo.settings.database import Database, InClusterDatabase
from components.todo.settings.images import Images
from components.todo.settings.namespace import NamespaceSettings
from components.todo.settings.rules import (
    check_database,
    check_images,
    check_object_store,
    refuse_equal,
)
from components.todo.settings.secrets import GeneratedSecrets, Secrets
from components.values.addresses import HttpAddress
from components.values.exposure import (
    ClusterIpExposure,
    Exposure,
    NodePortExposure,
    given_annotations,
    node_port,
    public_host,
)
from components.values.metrics import Metrics, NoMetrics
from components.values.resources import Resources
from components.values.scaling import Fixed, Scaling, check_reach
from components.values.text import Between, Text
from components.values.value import Value

PreStopSeconds = Annotated[int, Between(0, 300)]


class WorkloadSettings(Value):
    """What can be chosen for all stateless pods."""

    connects_to_database: ClassVar[bool] = False
    """Whether each of them keeps connections to the database."""

    scaling: Scaling = Fixed()
    resources: Resources

    @model_validator(mode="after")
    def _can_grow(self) -> Self:
        check_reach(self.scaling, self.resources)
        return self


class ServiceSettings(WorkloadSettings):
    """What can be chosen for all that others connect to."""

    exposure: Exposure = ClusterIpExposure()
    pre_stop_seconds: PreStopSeconds = Field(
        default=5,
        description="Wait before a pod is told to stop, for all that send it requests to learn of "
        "it; longer than a load balancer takes to deregister a pod that it reaches directly",
    )

    @field_validator("exposure")
    @classmethod
    def _has_no_annotation_of_the_program(cls, exposure: Exposure) -> Exposure:
        for key in given_annotations(exposure):
            if key.startswith(f"{ANNOTATION_PREFIX}/"):
                raise ValueError(f"expected no annotation {key}: the program sets it")
        return exposure


class FrontendSettings(ServiceSettings):
    """The Next.js frontend."""

    resources: Resources = Resources(
        cpu_request="100m", cpu_limit="200m", memory_request="128Mi", memory_limit="256Mi"
    )
    exposure: Exposure = NodePortExposure(port=NODE_PORTS[FRONTEND])


class ChatSettings(Value):
    """An OpenAI-compatible chat endpoint; without one the application answers by itself."""

    base_url: HttpAddress
    model: Text


class BackendSettings(ServiceSettings):
    """The FastAPI backend."""

    connects_to_database = True

    resources: Resources = Resources(
        cpu_request="250m", cpu_limit="500m", memory_request="256Mi", memory_limit="512Mi"
    )
    exposure: Exposure = NodePortExposure(port=NODE_PORTS[BACKEND])
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    chat: ChatSettings | None = None


_Block = TypeVar("_Block", bound=WorkloadSettings)


class Settings(Value):
    """Everything a stack can choose."""

    environment: Literal["development", "production"] = Field(
        default="production",
        description="production: Pulumi refuses to delete or replace the database (protect)",
    )
    cluster: ClusterSettings
    namespace: NamespaceSettings = NamespaceSettings()
    images: Images
    secrets: Secrets = GeneratedSecrets()
    database: Database = InClusterDatabase()
    backend: BackendSettings = BackendSettings()
    frontend: FrontendSettings = FrontendSettings()
    metrics: Metrics = NoMetrics()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        check_images(self.images, self.cluster)
        check_database(self.database, self.secrets, self.metrics, self.database_clients)
        check_object_store(self.database, self.secrets)
        exposures = {name: block.exposure for name, block in self._blocks(ServiceSettings)}
        refuse_equal("node ports", {name: node_port(it) for name, it in exposures.items()})
        refuse_equal("hosts", {name: public_host(it) for name, it in exposures.items()})
        return self

    @property
    def database_clients(self) -> int:
        """The largest number of pods with connections to the database, but for rolling updates."""
        blocks = self._blocks(WorkloadSettings)
        return sum(block.scaling.most for _, block in blocks if block.connects_to_database)

    def _blocks(self, kind: type[_Block]) -> Iterator[tuple[str, _Block]]:
        """Yields the blocks of a kind, each with the service's name."""
        for name, block in self:
            if isinstance(block, kind):
                yield name, block
