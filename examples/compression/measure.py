"""Measures zlib on this machine and writes compression.csv: the rows that the example learns from.

python examples/compression/measure.py
"""

import csv
import random
import time
import zlib
from pathlib import Path

ROWS, REPEATS = 900, 5
STRATEGIES = {"default": zlib.Z_DEFAULT_STRATEGY, "filtered": zlib.Z_FILTERED, "huffman": zlib.Z_HUFFMAN_ONLY}


def once(data: bytes, level: int, strategy: int) -> float:
    """Milliseconds of one compression."""
    begin = time.perf_counter()
    packer = zlib.compressobj(level, strategy=strategy)
    packer.compress(data)
    packer.flush()
    return (time.perf_counter() - begin) * 1000


def main() -> None:
    """Sizes are log-uniform; the least of a few repeats is kept."""
    chance = random.Random(1)
    path = Path(__file__).parent / "compression.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["kilobytes", "level", "distinct_bytes", "strategy", "compression_ms"])
        for _ in range(ROWS):
            size, level, distinct = 10 ** chance.uniform(0, 3), chance.randint(1, 9), chance.randint(1, 256)
            strategy = chance.choice(list(STRATEGIES))
            data = bytes(chance.choices(range(distinct), k=int(size * 1000)))
            best = min(once(data, level, STRATEGIES[strategy]) for _ in range(REPEATS))
            rows.writerow([len(data) / 1000, level, distinct, strategy, round(best, 5)])


if __name__ == "__main__":
    main()
