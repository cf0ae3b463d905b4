"""From the bytes of a model file to one graph, checked against the original."""

from collections.abc import Callable
from functools import partial
from pathlib import PurePosixPath

import numpy as np
import onnx
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.discovery._converter import Converted, Order
from perfcast.discovery._scan import HINTS
from perfcast.discovery.conversion._boosters import read_native
from perfcast.discovery.conversion._graphs import read_graph
from perfcast.discovery.conversion._inputs import Hints, computed, expression_of, find_inputs, read_hints
from perfcast.discovery.conversion._networks import read_network
from perfcast.discovery.conversion._original import Original
from perfcast.discovery.conversion._pickled import between_scalers, read_estimator
from perfcast.discovery.conversion._rows import LEAST, comparison_rows, well_conditioned
from perfcast.errors import Refused
from perfcast.export import check_parity, compose, libraries, measure
from perfcast.workloads import Rows, workload_from_document

_NETWORKS = (".pth", ".pt")


def convert(order: Order, may_run_code: Callable[[], None]) -> Converted:
    """Read, find the inputs, build the graph, compare; `may_run_code` is called before what is read may run code.

    Raises:
        PerfcastError: It can't be converted; the text says why.
    """
    hints = read_hints(order.files[HINTS]) if HINTS in order.files else Hints()
    original = _read(order, may_run_code, hints.activation)
    workloads = [workload_from_document(document) for document in order.workloads]
    workload, texts = find_inputs(original, hints, workloads)
    inputs = [expression_of(text, workload) for text in texts]
    graph = compose(workload, _body(original), inputs=inputs)
    read = partial(computed, inputs, workload)

    def predict(features: Rows) -> Rows:
        cost = original.predict(read(features))
        return np.clip(cost, max(workload.cost.minimum, -1e30), min(workload.cost.maximum, 1e30)).astype(np.float32)

    rows = comparison_rows(workload, original, inputs)
    rows = rows[np.isfinite(read(rows)).all(axis=1)]
    rows = rows[well_conditioned(original, read(rows))] if len(rows) else rows
    if len(rows) < LEAST:
        raise Refused(
            f"on all but {len(rows)} of the rows compared what it reads or answers is no finite, stable number"
        )
    return Converted(
        graph=graph,
        family=original.family,
        workload=workload.name,
        inputs=tuple(texts),
        original=original.kind,
        parity=check_parity(graph, predict, rows, relative=workload.cost.relative),
        facts=measure(graph, rows, predict),
        libraries=libraries(),
        notes=original.notes,
    )


def _read(order: Order, may_run_code: Callable[[], None], activation: str | None) -> Original:
    data, suffix = order.files[order.file], PurePosixPath(order.file).suffix.lower()
    if activation is not None and suffix not in _NETWORKS:
        raise Refused(
            f"model.yaml: 'activation: {activation}' is for PyTorch networks ({', '.join(_NETWORKS)}), which don't say "
            f"it themselves; {order.file} is none, so remove that line"
        )
    if suffix in (".ubj", ".json"):
        original = read_native(order.file, data)
    elif suffix == ".onnx":
        original = read_graph(data)
    elif suffix in _NETWORKS:
        original = read_network(data, may_run_code, activation)
    else:
        may_run_code()
        return read_estimator(order.file, order.files)
    if order.files.keys() - {order.file, HINTS}:
        may_run_code()
        return between_scalers(original, order.files)
    return original


def _body(original: Original) -> onnx.ModelProto:
    argument = spox.argument(spox.Tensor(np.float32, ("rows", original.inputs)))
    cost = op.cast(original.stage(op.cast(argument, to=np.float64)), to=np.float32)
    return spox.build({"inputs": argument}, {"cost": cost})
