"""`POST /predict` from body to answer, the same for every way in."""

from perfcast.api.predict._predict import UNKNOWN, Predict
from perfcast.api.predict._schemas import LOAD, PREDICT_ANSWER, PREDICT_BODY

__all__ = ["LOAD", "PREDICT_ANSWER", "PREDICT_BODY", "UNKNOWN", "Predict"]
