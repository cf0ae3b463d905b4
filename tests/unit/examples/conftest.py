"""The example's files import each other by name, as they do where `python examples/shop/….py` runs them."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SHOP = Path(__file__).parents[3] / "examples" / "shop"


@pytest.fixture(scope="session", autouse=True)
def _shop_can_be_imported() -> Iterator[None]:
    sys.path.insert(0, str(SHOP))
    yield
    sys.path.remove(str(SHOP))
