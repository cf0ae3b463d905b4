"""`uvicorn src.api.app:app`, as the CPU utilisation pipeline was started: Perfcast's API under a bare uvicorn.

What it makes on its first start are the starter models. `perfcast up` is the quicker server, and has a worker with it.
"""

import os
import subprocess
import sys
from pathlib import Path

_SOURCES = str(Path(__file__).resolve().parents[1])
sys.path.append(_SOURCES)  # where Perfcast isn't installed, as after `pip install -r requirements.txt` alone

from perfcast.api import create_app
from perfcast.logs import configure_logs
from perfcast.settings import load_settings

_paths = filter(None, [os.environ.get("PYTHONPATH"), _SOURCES])
_environment = {**os.environ, "PYTHONPATH": os.pathsep.join(_paths)}
subprocess.run([sys.executable, "-m", "perfcast", "starters"], env=_environment, check=True)
_settings = load_settings()
configure_logs(_settings)
app = create_app(_settings)
