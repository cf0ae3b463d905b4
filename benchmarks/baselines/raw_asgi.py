"""Baseline (b): a bare ASGI callable, msgspec and ONNX Runtime, which is about what Python can do behind uvicorn.

MODEL=model.onnx uvicorn raw_asgi:app
"""

import os
from typing import Any

import msgspec
import numpy as np
import onnxruntime as ort

options = ort.SessionOptions()
options.intra_op_num_threads = 1
session = ort.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name


class Body(msgspec.Struct):
    """Rows of numbers."""

    rows: list[list[float]]


decode = msgspec.json.Decoder(Body).decode
encode = msgspec.json.Encoder().encode
JSON = (b"content-type", b"application/json")


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer a request, or take part in starting and stopping."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    rows = np.array(decode(body).rows, dtype=np.float32)
    answer = encode({"y": session.run(None, {name: rows})[0].ravel().tolist()})
    length = (b"content-length", str(len(answer)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [JSON, length]})
    await send({"type": "http.response.body", "body": answer})
