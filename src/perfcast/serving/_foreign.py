"""Graphs that were made elsewhere: what each must be like, whether it is uploaded or found in a folder."""

from functools import partial
from threading import Timer
from typing import Any

import numpy.typing as npt
import onnxruntime as ort

from perfcast.errors import BrokenVersion, InvalidInput
from perfcast.manifest import LARGEST_GRAPH
from perfcast.serving._anatomy import Anatomy, dissect
from perfcast.sessions import TRIAL_SECONDS, open_session

DOMAINS = ("", "ai.onnx.ml")
"""Whose operators a graph may use: ONNX's own."""
_wrong = partial(InvalidInput.of, "graph")


def open_foreign(graph: bytes) -> tuple[Anatomy, ort.InferenceSession]:
    """Look a graph through, then open it.

    Raises:
        InvalidInput: It can't be opened safely, or not be asked any number of rows; the field is `graph`.
    """
    if len(graph) > LARGEST_GRAPH:
        raise _wrong(f"must have at most {LARGEST_GRAPH:,} bytes, has {len(graph):,}")
    try:
        anatomy = dissect(graph)
        foreign = sorted(f"{domain}:{operator}" for domain, operator in anatomy.operators if domain not in DOMAINS)
        if foreign:
            own = ", ".join(domain or "ai.onnx" for domain in DOMAINS)
            raise _wrong(f"must use ONNX's own operators ({own}) only, but uses {', '.join(foreign[:5])}")
        if anatomy.external:
            raise _wrong(
                "must hold its data itself, but some tensor's data stands in another file; save it with the data inside"
            )
        session = open_session(graph)
    except BrokenVersion as error:
        raise _wrong(str(error)) from None
    for item in session.get_inputs():
        if item.shape and isinstance(item.shape[0], int):
            raise _wrong(
                f"must take any number of rows, but its input '{item.name}' takes {item.shape[0]} only; "
                "export it with the first dimension dynamic"
            )
    return anatomy, session


def try_rows(session: ort.InferenceSession, rows: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    """What a graph of one input, [rows, inputs], answers within `TRIAL_SECONDS`: its outputs.

    Raises:
        InvalidInput: It can't answer them, or not in time; the field is `graph`.
    """
    options = ort.RunOptions()
    options.log_severity_level = 4
    limit = Timer(TRIAL_SECONDS, setattr, (options, "terminate", True))
    limit.start()
    try:
        answers: list[npt.NDArray[Any]] = session.run(None, {session.get_inputs()[0].name: rows}, options)
    except Exception as error:  # noqa: BLE001 - ONNX Runtime's exceptions share no public base class
        reason = (
            f" within {TRIAL_SECONDS:g} s" if options.terminate else f" {len(rows)} rows at once: {str(error).strip()}"
        )
        raise _wrong(f"can't answer{reason}") from None
    finally:
        limit.cancel()
    return answers
