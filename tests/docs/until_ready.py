"""Runs a command of Perfcast that never ends until it says that it is ready, then ends it as Ctrl-C does."""

import os
import signal
import subprocess
import sys
import threading

from tests.patience import PATIENCE_SECONDS


def main() -> int:
    """The exit status to give: 0 where it became ready and ended in order."""
    environment = os.environ | {"LOG_FORMAT": "json", "LOG_LEVEL": "INFO", "API_PORT": "0"}
    command = [sys.executable, "-m", "perfcast", *sys.argv[1:]]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        deadline = threading.Timer(PATIENCE_SECONDS, process.kill)
        deadline.start()
        assert process.stderr is not None
        ready = False
        for line in process.stderr:  # read to the end, so that it never waits for us
            sys.stderr.write(line)
            if not ready and ('"event": "ready"' in line or '"event": "worker ready"' in line):
                ready = True
                process.send_signal(signal.SIGINT)
        deadline.cancel()
    return 0 if ready and process.returncode in (0, 130, -signal.SIGINT) else 1


if __name__ == "__main__":
    raise SystemExit(main())
