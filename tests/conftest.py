"""Fixtures of every test: real servers, started on free ports when a test asks for one."""

pytest_plugins = ["tests.services"]
