"""Perfcast learns what a workload will cost before it runs, and serves that knowledge."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("perfcast")
except PackageNotFoundError:  # a bare checkout
    __version__ = "0.0.0"
