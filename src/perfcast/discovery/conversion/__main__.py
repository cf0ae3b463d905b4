"""The converting process: an order on standard input, an outcome on standard output, and its end."""

import os
import sys
from importlib import import_module
from pathlib import PurePosixPath

import msgspec

from perfcast.discovery._converter import Order, Outcome
from perfcast.discovery.conversion._confinement import leave_network, limit, obstacle
from perfcast.errors import PerfcastError, Refused

_ESTIMATORS = ("joblib", "sklearn.ensemble", "sklearn.linear_model", "sklearn.neural_network")
_NETWORKS = ("torch", "joblib", "sklearn.preprocessing")
_LIBRARIES = {
    ".joblib": (*_ESTIMATORS, "xgboost"),
    ".json": ("xgboost",),
    ".onnx": (),
    ".pkl": (*_ESTIMATORS, "xgboost"),
    ".pt": _NETWORKS,
    ".pth": _NETWORKS,
    ".ubj": ("xgboost",),
}


def main() -> None:
    """Convert one file."""
    leave_network()
    order = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Order)
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints goes elsewhere
    limit(order.parent)
    answer.write(msgspec.msgpack.encode(_outcome(order)))
    answer.flush()
    os._exit(0)  # nothing that a file left behind runs any more


def _outcome(order: Order) -> Outcome:
    from perfcast.discovery.conversion._convert import convert

    for name in _LIBRARIES[PurePosixPath(order.file).suffix.lower()]:
        import_module(name)  # while everything is still allowed, since some ask the system about itself
    reason = obstacle(order.parent)

    def may_run_code() -> None:
        if reason is not None and not order.unconfined:
            raise Refused(
                f"loading it may run code, and the process that does it can't be shut in: {reason}; "
                "MODELS_UNCONFINED=true loads it all the same"
            )

    try:
        return convert(order, may_run_code)
    except PerfcastError as error:
        return str(error)
    except MemoryError:
        return "its conversion needs more memory than it may take"
    except Exception as error:  # noqa: BLE001 - files that others made fail in any way
        text = str(error).strip().splitlines()
        return f"{type(error).__name__}: {text[0][:300] if text else ''}"


if __name__ == "__main__":
    main()
