"""Options and arguments that several commands share; light, because `perfcast --help` imports them too."""

import typer

URL = typer.Option("", "--url", help="A server such as http://localhost:8000; the database directly if not given.")
KEY = typer.Option(
    "",
    "--api-key",
    envvar="PERFCAST_API_KEY",  # settings.CLIENT_KEY, without its import of pydantic
    show_default=False,
    help="For a server that asks for one.",
)
JSON = typer.Option(False, "--json", help="All there is to know, as JSON.")
JOB = typer.Argument(..., help="The job's id, as `perfcast jobs list` shows it.")
MODEL = typer.Argument(..., help="Name of the model.")
VERSION = typer.Argument(..., help="NAME (its champion), NAME:VERSION or NAME@ALIAS.")
REASON = typer.Option("", help="Kept in the history.")
FAMILIES = typer.Option(
    "", help="Comma-separated: xgboost, random_forest, polynomial, neural_network, ensemble; all if not given."
)
TRIALS = typer.Option(20, min=1, help="Most trials of the search.")
TIMEOUT = typer.Option(None, min=1, help="Most seconds for everything.")
NEWEST = typer.Option(None, min=250, help="Learn from so many of the newest rows only.")
BASE = typer.Option(
    "",
    "--from",
    help="A version to start from, such as another device's: NAME (its champion), NAME:VERSION or NAME@ALIAS.",
)
SEED = typer.Option(0, help="The same seed gives the same trials (without --timeout).")
TRENDS = typer.Option(
    "prefer",
    help="prefer: versions that keep the declared trends come first; require: only they; ignore: none is held to them.",
)
PROMOTE = typer.Option("auto", help="auto: the gate decides; never: leave the champion alone.")


def names(text: str) -> list[str]:
    """The names of a comma-separated option."""
    return [name.strip() for name in text.split(",") if name.strip()]


def one_version(reference: str) -> bool:
    """Whether it names a version, not a model."""
    return ":" in reference or "@" in reference
