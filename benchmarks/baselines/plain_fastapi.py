"""Baseline (a): FastAPI, pydantic and ONNX Runtime, as one writes it in an hour.

MODEL=model.onnx uvicorn plain_fastapi:app
"""

import os

import numpy as np
import onnxruntime as ort
from fastapi import FastAPI
from pydantic import BaseModel

options = ort.SessionOptions()
options.intra_op_num_threads = 1
session = ort.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
app = FastAPI()


class Body(BaseModel):
    """Rows of numbers."""

    rows: list[list[float]]


@app.post("/predict")
async def predict(body: Body) -> dict[str, list[float]]:
    """The model's answers."""
    rows = np.array(body.rows, dtype=np.float32)
    return {"y": session.run(None, {name: rows})[0].ravel().tolist()}
