"""The saturation knee: the Universal Scalability Law, both ways round.

Gunther, "Guerrilla Capacity Planning" (Springer 2007), section 4.4, equation 4.31; derived in Gunther, "A
General Theory of Computational Scalability Based on Rational Functions" (arXiv:0808.1431): the work that N
busy cores get done, relative to one core, is

    C(N) = N / (1 + sigma (N - 1) + kappa N (N - 1))

with sigma for contention and kappa for coherency. Up to one busy core there is nothing to contend with, so
there C(N) = N; the two pieces meet at N = 1. C rises up to N* = sqrt((1 - sigma) / kappa) and falls beyond.
"""

import numpy as np
from numpy.typing import ArrayLike

from ._calendar import Floats


def peak_cores(contention: float, coherency: float) -> float:
    """N*, the number of busy cores beyond which less work gets done (infinite without coherency)."""
    return float(np.sqrt((1.0 - contention) / coherency)) if coherency > 0 else float("inf")


def work_done(cores: ArrayLike, contention: float, coherency: float) -> Floats:
    """C(N): CPU-seconds of useful work per second that busy cores, N >= 0 of any shape, get done."""
    busy = np.asarray(cores, dtype=np.float64)
    more = np.maximum(busy - 1.0, 0.0)
    return np.asarray(busy / (1.0 + contention * more + coherency * busy * more), dtype=np.float64)


def busy_cores(work: ArrayLike, contention: float, coherency: float) -> Floats:
    """The smallest N with C(N) = work (w >= 0, of any shape); infinite where no number of cores gets that much done.

    Above one core the law is the quadratic equation
    kappa w N^2 - (1 - sigma w + kappa w) N + (1 - sigma) w = 0; its smaller root is taken in the form that
    loses no digits when kappa is small.
    """
    wanted = np.asarray(work, dtype=np.float64)
    linear = 1.0 - contention * wanted + coherency * wanted
    constant = (1.0 - contention) * wanted
    root = np.sqrt(np.maximum(linear**2 - 4.0 * coherency * wanted * constant, 0.0))
    possible = wanted <= _most_work(contention, coherency)
    knee = 2.0 * constant / np.where(possible, linear + root, 1.0)
    return np.where(wanted <= 1.0, wanted, np.where(possible, knee, np.inf))


def _most_work(contention: float, coherency: float) -> float:
    """C(N*), or without coherency its limit 1 / sigma."""
    if coherency > 0:
        return float(work_done(peak_cores(contention, coherency), contention, coherency))
    return np.nextafter(1.0 / contention, 0.0) if contention > 0 else float("inf")
