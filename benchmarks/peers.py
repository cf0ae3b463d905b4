"""The environment of the peers that benchmarks compare with: `.peers`, apart from Perfcast's own."""

import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).parent
_PEERS = _HERE / ".peers"
_REQUIREMENTS = _HERE / "requirements.txt"


def peer_python() -> Path:
    """Its interpreter; what `requirements.txt` names is installed first, where that has changed."""
    python, installed = _PEERS / "bin" / "python", _PEERS / "installed.txt"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", _PEERS], check=True)
    if not installed.exists() or installed.read_text() != _REQUIREMENTS.read_text():
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", _REQUIREMENTS], check=True)
        subprocess.run([python, "-m", "compileall", "-q", _PEERS / "lib"], check=False)
        installed.write_text(_REQUIREMENTS.read_text())
    return python
