"""`perfcast doctor`: what is right and wrong with this installation, and what to do about it."""

import importlib.util
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from perfcast.cli._extras import EXTRAS
from perfcast.cli._output import show_table
from perfcast.cli._workbench import workbench

if TYPE_CHECKING:
    from perfcast.settings import Settings


@dataclass(frozen=True)
class Finding:
    """One thing looked at: its state is `ok`, `note` (works, but could be better) or `wrong`."""

    what: str
    state: str
    text: str


def doctor() -> None:
    """Check this installation; exit status 1 when something is wrong."""
    from perfcast.settings import load_settings

    settings = load_settings()
    findings = [finding for check in _CHECKS for finding in _guarded(check, settings)]
    show_table(("what", "state", "finding"), [(item.what, item.state, item.text) for item in findings])
    if any(item.state == "wrong" for item in findings):
        raise typer.Exit(1)


def _guarded(check: Callable[["Settings"], Iterator[Finding]], settings: "Settings") -> Iterator[Finding]:
    """A check that fails is itself a finding."""
    try:
        yield from check(settings)
    except Exception as error:  # noqa: BLE001  # whatever is broken here is what the user wants to know
        yield Finding(check.__name__.strip("_"), "wrong", f"{type(error).__name__}: {error}")


def _python(_: "Settings") -> Iterator[Finding]:
    yield Finding("python", "ok", sys.version.split()[0])
    if sys.dont_write_bytecode and not Path(importlib.util.cache_from_source(__file__)).exists():
        yield Finding(
            "bytecode",
            "note",
            "PYTHONDONTWRITEBYTECODE is set and nothing is compiled: starts take three times as long",
        )


def _packages(_: "Settings") -> Iterator[Finding]:
    for extra, modules in EXTRAS.items():
        missing = [module for module in modules if importlib.util.find_spec(module) is None]
        if missing:
            yield Finding(
                f"extra '{extra}'", "note", f"not installed: {', '.join(missing)}; pip install 'perfcast[{extra}]'"
            )
        else:
            yield Finding(f"extra '{extra}'", "ok", "installed")


def _state(settings: "Settings") -> Iterator[Finding]:
    from perfcast.storage import Database

    database = Database(settings.database_address)
    try:
        database.ping()
        current = database.is_current()
        text = f"{database.address}" + (
            "" if current else "; its schema is old or empty: perfcast up brings it up to date"
        )
        yield Finding("database", "ok" if current else "note", text)
    finally:
        database.close()


def _artifacts(settings: "Settings") -> Iterator[Finding]:
    from perfcast.storage import Blobs

    blobs = Blobs(settings.artifacts_address)
    blobs.get(blobs.put(b"perfcast doctor"))
    yield Finding("artifacts", "ok", "can be written and read")


def _models(settings: "Settings") -> Iterator[Finding]:
    from perfcast.errors import PerfcastError

    with workbench(settings) as bench:
        models = bench.registry.models()
        if not models:
            yield Finding("models", "note", "none yet: perfcast up makes the starter models")
        for model in models:
            number = model.aliases.get("champion")
            if number is None:
                yield Finding(f"model {model.name}", "note", "has no champion: perfcast models activate NAME:VERSION")
                continue
            try:
                version = bench.registry.version(model.name, number)
                bench.predictor(version)
                yield Finding(f"model {model.name}", "ok", f"version {number} answers")
            except PerfcastError as error:
                yield Finding(f"model {model.name}", "wrong", str(error))


def _access(settings: "Settings") -> Iterator[Finding]:
    if importlib.util.find_spec("fastapi") is None:
        return
    from perfcast.api.access import make_gate

    gate = make_gate(settings)
    if gate is not None and gate.keyed:
        yield Finding("access", "ok", gate.summary)
        return
    closed = settings.api_host in ("127.0.0.1", "::1", "localhost")
    text = "no API_KEY: whoever reaches the port may do everything" + (f"; {gate.summary}" if gate is not None else "")
    yield Finding("access", "ok" if closed else "note", text)


def _port(settings: "Settings") -> Iterator[Finding]:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        host = "127.0.0.1" if settings.api_host == "0.0.0.0" else settings.api_host  # noqa: S104
        taken = probe.connect_ex((host, settings.api_port)) == 0
    where = f"{settings.api_host}:{settings.api_port}"
    yield Finding("port", "note" if taken else "ok", f"{where} is {'in use' if taken else 'free'}")


def _accelerator(_: "Settings") -> Iterator[Finding]:
    if importlib.util.find_spec("torch") is None:
        return
    import torch

    found = torch.cuda.is_available()
    yield Finding("GPU for training", "ok", torch.cuda.get_device_name() if found else "none; training uses the CPU")


_CHECKS = (_python, _packages, _state, _artifacts, _models, _access, _port, _accelerator)
