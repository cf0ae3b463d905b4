"""Fixtures that every test may use."""

from hypothesis import settings

pytest_plugins = ["tests.services"]

settings.register_profile("perfcast", deadline=None)  # how long an example takes is the machine's affair
settings.load_profile("perfcast")
