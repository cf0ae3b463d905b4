"""Perfcast's whole application as `module:app`, for servers that are told so; the process is set as `serve` sets it."""

import gc
import sys

from perfcast.api import create_app
from perfcast.logs import configure_logs
from perfcast.settings import load_settings

settings = load_settings()
configure_logs(settings)
sys.setswitchinterval(0.0005)
app = create_app(settings)
gc.freeze()
