"""Python runs this at the start of every process that has this folder in PYTHONPATH: it moves the wall clock.

The monotonic clock stays. Processes that are started with an environment of their own keep the real time.
"""

import os
from datetime import UTC, datetime, timedelta

import time_machine

shift = timedelta(seconds=float(os.environ["CLOCK_SHIFT_SECONDS"]))
time_machine.travel(datetime.now(UTC) + shift, tick=True).start()
