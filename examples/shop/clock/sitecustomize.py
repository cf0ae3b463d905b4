"""Python runs this at the start of every process that has this folder in PYTHONPATH: its wall clock follows a file.

The file `STORY_CLOCK` names holds seconds since 1970. Between two changes the clock goes on by itself; the monotonic
clock, and with it every wait, stays as it is.
"""

import os
import threading
import time
from pathlib import Path

import time_machine

path = Path(os.environ["STORY_CLOCK"])
told = path.read_text()
clock = time_machine.travel(float(told), tick=True).start()


def follow(told: str) -> None:
    """Move the clock whenever the file says so."""
    while True:
        time.sleep(0.02)
        if (text := path.read_text()) and text != told:
            told = text
            clock.move_to(float(text))


threading.Thread(target=follow, args=(told,), name="story-clock", daemon=True).start()
