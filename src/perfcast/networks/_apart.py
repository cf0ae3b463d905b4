"""ONNX files of strangers are read in a process of their own, within bounds of time and memory."""

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import msgspec

from perfcast.errors import InvalidInput, MissingDependency
from perfcast.networks._call import Runtime
from perfcast.networks._graph import Graph, Shape
from perfcast.networks._plan import plan

_SECONDS = 60
_MEMORY_BYTES = 6 << 30
_PLAN_SECONDS = 5.0
_LONGEST_NAME = 200


class _Told(msgspec.Struct, frozen=True):
    """What the process says: a graph, what is wrong with the file, or what isn't installed."""

    graph: Graph | None = None
    problem: str = ""
    field: str = "network"
    missing: str = ""


def read_onnx_apart(content: bytes, input_shape: Shape | None = None) -> Graph:
    """What `read_onnx` makes of a file's content.

    Raises:
        InvalidInput: It can't be read; says why.
        MissingDependency: The package `onnx` isn't installed.
    """
    with TemporaryDirectory(prefix="perfcast-network-") as folder:
        path = Path(folder) / "network.onnx"
        path.write_bytes(content)
        command = [sys.executable, "-m", "perfcast.networks", str(path), *map(str, input_shape or ())]
        try:
            ran = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603
        except subprocess.TimeoutExpired:
            raise InvalidInput.of("network", f"could not be read within {_SECONDS} s") from None
    try:
        told = msgspec.json.decode(ran.stdout, type=_Told)
    except msgspec.DecodeError:
        raise InvalidInput.of(
            "network", "could not be read: the reader ended at it, perhaps for want of memory"
        ) from None
    if told.missing:
        raise MissingDependency(told.missing)
    if told.graph is None or told.problem:
        raise InvalidInput.of(told.field, told.problem)
    return told.graph


def shown_name(name: str) -> str:
    """What somebody calls a file, fit to be shown."""
    return "".join(filter(str.isprintable, name))[:_LONGEST_NAME] or "network"


def tell(path: Path, input_shape: Shape | None) -> bytes:
    """What the process writes of a file: its graph, where the rules of all runtimes know what to do with it."""
    import resource

    from perfcast.errors import PerfcastError
    from perfcast.networks._onnx import read_onnx

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    try:
        graph = read_onnx(path, name=path.stem, input_shape=input_shape)
        return msgspec.json.encode(_Told(graph, problem=_obstacle(graph)))
    except InvalidInput as error:
        wrong = error.fields[0]
        return msgspec.json.encode(_Told(problem=wrong.message, field=wrong.field))
    except MissingDependency as error:
        return msgspec.json.encode(_Told(missing=str(error)))
    except PerfcastError as error:
        return msgspec.json.encode(_Told(problem=str(error)))


def _obstacle(graph: Graph) -> str:
    """Why the rules can't be asked about a graph where others wait; empty where they can."""
    for runtime in get_args(Runtime):
        begun = time.monotonic()
        try:
            plan(graph, runtime)
        except InvalidInput as error:
            return "; ".join(field.message for field in error.fields)
        except Exception as error:  # noqa: BLE001  a file may state shapes that its operators can't have
            return f"states shapes or attributes that its operators can't have ({type(error).__name__}: {error})"[:400]
        if time.monotonic() - begun > _PLAN_SECONDS:
            return f"has {len(graph.nodes):,} nodes in a form that takes too long to look through"
    return ""
