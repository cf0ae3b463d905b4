"""Baseline (c): LitServe.

MODEL=model.onnx python lit_service.py PORT
"""

import os
import sys
from typing import Any

import litserve
import numpy as np
import onnxruntime as ort


class Api(litserve.LitAPI):
    """Rows of numbers in, the model's answers out."""

    def setup(self, device: str) -> None:  # noqa: ARG002 - as LitServe calls it
        """Load the graph."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
        self.name = self.session.get_inputs()[0].name

    def decode_request(self, request: dict[str, Any]) -> Any:
        """The rows."""
        return np.array(request["rows"], dtype=np.float32)

    def predict(self, rows: Any) -> Any:
        """The model's answers."""
        return self.session.run(None, {self.name: rows})[0]

    def encode_response(self, answers: Any) -> dict[str, list[float]]:
        """As JSON."""
        return {"y": answers.ravel().tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Api(), accelerator="cpu")
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="warning")
