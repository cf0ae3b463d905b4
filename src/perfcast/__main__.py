"""`python -m perfcast` is the same as `perfcast`."""

from perfcast.cli import main

main()
