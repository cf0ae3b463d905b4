"""ONNX files of strangers are read in a process of their own, within bounds of time and memory."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from perfcast.errors import InvalidInput, MissingDependency
from perfcast.networks._graph import Graph

_SECONDS = 60
_MEMORY_BYTES = 6 << 30


class _Told(msgspec.Struct, frozen=True):
    """What the process says: a graph, what is wrong with the file, or what isn't installed."""

    graph: Graph | None = None
    problem: str = ""
    missing: str = ""


def read_onnx_apart(content: bytes, name: str) -> Graph:
    """What `read_onnx` makes of a file's content.

    Raises:
        InvalidInput: It can't be read; says why.
        MissingDependency: The package `onnx` isn't installed.
    """
    with TemporaryDirectory(prefix="perfcast-network-") as folder:
        path = Path(folder) / "network.onnx"
        path.write_bytes(content)
        command = [sys.executable, "-m", "perfcast.networks", str(path), name]
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
    if told.graph is None:
        raise InvalidInput.of("network", told.problem)
    return told.graph


def tell(path: Path, name: str) -> bytes:
    """What the process writes of a file."""
    import resource

    from perfcast.errors import PerfcastError
    from perfcast.networks._onnx import read_onnx

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    try:
        return msgspec.json.encode(_Told(read_onnx(path, name=name)))
    except InvalidInput as error:
        return msgspec.json.encode(_Told(problem="; ".join(field.message for field in error.fields)))
    except MissingDependency as error:
        return msgspec.json.encode(_Told(missing=str(error)))
    except PerfcastError as error:
        return msgspec.json.encode(_Told(problem=str(error)))
