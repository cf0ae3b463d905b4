"""`python -m perfcast.networks FILE [SIZE …]`: the process in which ONNX files of strangers are read."""

import sys
from pathlib import Path

from perfcast.networks._apart import tell

if __name__ == "__main__":
    sys.stdout.buffer.write(tell(Path(sys.argv[1]), tuple(map(int, sys.argv[2:])) or None))
