"""`python src/api/training_worker.py`, as the CPU utilisation pipeline was given a worker: `perfcast worker`."""

import os
import sys
from pathlib import Path

_SOURCES = str(Path(__file__).resolve().parents[1])
sys.path[0] = _SOURCES  # in place of this script's own folder
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [os.environ.get("PYTHONPATH"), _SOURCES])
)  # for training processes

from perfcast.cli import main

if __name__ == "__main__":
    sys.argv = ["perfcast", "worker", *sys.argv[1:]]
    main()
