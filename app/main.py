"""`uvicorn app.main:app`, as the CNN execution time predictor was started: the same as src/api/app.py."""

from src.api.app import app

__all__ = ["app"]
