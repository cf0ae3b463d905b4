"""The options that name the server which commands speak to; light, because `perfcast --help` imports them too."""

import typer

URL = typer.Option("", "--url", help="A server such as http://localhost:8000; the database directly if not given.")
KEY = typer.Option(
    "",
    "--api-key",
    envvar="PERFCAST_API_KEY",  # settings.CLIENT_KEY, without its import of pydantic
    show_default=False,
    help="For a server that asks for one.",
)
