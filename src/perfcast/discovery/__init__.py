"""Models that another system trained, found in a folder (`MODELS_DIR`) and made into versions.

`_scan` sees which files there are and `_naming` what they are called, without opening them. `Converter` turns one file
into one ONNX graph in a short-lived process (`conversion/`, the only part that knows learning libraries) without
network, secrets or much time, because joblib and pickle files run code when they are loaded. `Discovery` registers the
graphs and records what came of each file (`Records`); `watching` does so whenever the folder changes.
"""

from perfcast.discovery._discovery import Discovery, Result
from perfcast.discovery._records import Records
from perfcast.discovery._watch import make_converter, watching

__all__ = ["Discovery", "Records", "Result", "make_converter", "watching"]
