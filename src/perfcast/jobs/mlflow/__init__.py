"""Jobs that have ended, written to an MLflow tracking server."""

from perfcast.jobs.mlflow._exporter import Exporter

__all__ = ["Exporter"]
