"""The command line: `perfcast`.

Each command is a thin function that builds what it needs from `Settings`, calls the rooms, and shows the result.
Nothing heavy is imported before a command needs it, so that `perfcast --help` is quick.
"""

from perfcast.cli._main import COMMANDS, main

__all__ = ["COMMANDS", "main"]
