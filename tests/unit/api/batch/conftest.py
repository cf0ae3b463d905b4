"""The application with a model of convolutions, and low bounds for batches."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient
from tests.drafts import draft, weighted

from perfcast.api import Services, create_app
from perfcast.registry import Registry
from perfcast.settings import Settings, load_settings
from perfcast.workloads import builtin_workloads


@pytest.fixture
def registry(registry: Registry) -> Registry:
    workload = builtin_workloads()["cnn-execution-time"]
    graph = weighted(workload, batch_size=1, stride=0.125)
    registry.add("conv", draft(workload, graph, ranges={"batch_size": (1.0, 512.0)}))
    registry.point("conv", "champion", 1)
    return registry


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Bodies of `/predict` are short here, so that a batch shows its own limits."""
    given = settings.model_dump() | {"max_batch_rows": 5000, "max_batch_bytes": 2_000_000}
    return load_settings(**given)


@pytest.fixture
def client(settings: Settings, services: Services, registry: Registry) -> Iterator[TestClient]:
    with TestClient(create_app(settings, services=services), raise_server_exceptions=False) as client:
        yield client
