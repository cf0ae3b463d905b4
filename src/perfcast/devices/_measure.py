"""What a machine does at most, measured: the best of several products of matrices, the best of several copies."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from perfcast.devices._machine import Kind

SECONDS = 2.0
"""For which each is repeated; the best counts, since whatever disturbs makes it slower."""
SIDES, COPIED = {"cpu": 2048, "cuda": 8192}, 512_000_000
"""Side of the matrices; bytes that are copied, more than caches hold."""


def measure_peak(kind: Kind = "cpu", *, side: int | None = None, seconds: float = SECONDS) -> float:
    """Most float32 operations, 10⁹ a second, in the product of two matrices [side, side]; without tensor cores."""
    side = side or SIDES[kind]
    multiply = _product_on_gpu(side) if kind == "cuda" else _product(side)
    return 2e-9 * side**3 / _best(multiply, seconds)


def measure_bandwidth(kind: Kind = "cpu", *, size: int = COPIED, seconds: float = SECONDS) -> float:
    """Bytes that are read and written in a copy of `size` bytes, GB/s."""
    copy = _copy_on_gpu(size) if kind == "cuda" else _copy(size)
    return 2e-9 * size / _best(copy, seconds)


def _best(call: Callable[[], object], seconds: float) -> float:
    """Least seconds that a call takes."""
    call()
    end, least = time.perf_counter() + seconds, float("inf")
    while time.perf_counter() < end or least == float("inf"):
        begun = time.perf_counter()
        call()
        least = min(least, time.perf_counter() - begun)
    return least


def _product(side: int) -> Callable[[], object]:
    random = np.random.default_rng(0)
    left, right = (random.standard_normal((side, side), dtype=np.float32) for _ in range(2))
    made = np.empty_like(left)
    return lambda: np.matmul(left, right, out=made)


def _copy(size: int) -> Callable[[], object]:
    source = np.ones(size // 4, np.float32)
    target = np.zeros_like(source)
    return lambda: np.copyto(target, source)


def _product_on_gpu(side: int) -> Callable[[], object]:
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    left, right = (torch.randn(side, side, device="cuda") for _ in range(2))
    return _waited(lambda: torch.mm(left, right))


def _copy_on_gpu(size: int) -> Callable[[], object]:
    import torch

    source = torch.ones(size // 4, device="cuda")
    target = torch.empty_like(source)
    return _waited(lambda: target.copy_(source))


def _waited(call: Callable[[], Any]) -> Callable[[], None]:
    """The call, and waiting for it: a GPU's calls come back before they are done."""
    import torch

    def done() -> None:
        call()
        torch.cuda.synchronize()

    return done
