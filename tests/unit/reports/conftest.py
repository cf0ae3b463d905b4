"""Real models, trained small: CPU utilisation over time, and a cost judged relatively, with a choice for a feature."""

from collections.abc import Iterator

import numpy as np
import pytest
from tests.workers import Shop, small_dataset

from perfcast.datasets import Dataset
from perfcast.registry import Version
from perfcast.settings import load_settings
from perfcast.training import Budget, train
from perfcast.workloads import workload_from_document

RENDERING = workload_from_document({
    "name": "rendering",
    "cost": {"name": "render_ms", "unit": "ms", "minimum": 0, "relative": True},
    "features": [
        {"name": "pages", "type": "integer", "minimum": 1, "maximum": 500},
        {"name": "images", "type": "integer", "minimum": 0, "maximum": 50},
        {"name": "quality", "type": "choice", "values": ["draft", "final"]},
    ],
    "rules": [{"check": "images <= 4 * pages", "field": "images", "message": "must fit on the pages"}],
})  # fmt: skip


def rendering_rows() -> Dataset:
    """Costs that hang on pages and quality, hardly on images."""
    random = np.random.default_rng(5)
    pages = random.integers(13, 500, 600)
    images, final = random.integers(0, 50, 600), random.integers(0, 2, 600)
    cost = (3 + 0.8 * pages + 0.01 * images) * (1 + final) * np.exp(random.normal(0, 0.03, 600))
    features = np.stack([pages, images, final], axis=1).astype(np.float32)
    return Dataset("rendering", RENDERING, features, cost.astype(np.float32), provenance={"source": "a <lab>"})


def timed_rows() -> Dataset:
    """A row a minute."""
    rows = small_dataset()
    moments = np.datetime64("2026-03-01T00:00") + np.arange(len(rows)) * np.timedelta64(1, "m")
    return Dataset("shop", rows.workload, rows.features, rows.cost, moments.astype("datetime64[us]"))


def registered(shop: Shop, dataset: Dataset) -> Version:
    shop.datasets.add(dataset)
    (draft,) = train(dataset, Budget(1), family_names=["polynomial"]).drafts
    return shop.registry.add(dataset.name, draft, dataset=dataset.name)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    shop = Shop(load_settings(data_dir=tmp_path_factory.mktemp("reports")))
    yield shop
    shop.close()


@pytest.fixture(scope="session")
def timed(shop: Shop) -> Version:
    return registered(shop, timed_rows())


@pytest.fixture(scope="session")
def rendering(shop: Shop) -> Version:
    return registered(shop, rendering_rows())
