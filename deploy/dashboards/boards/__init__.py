"""The six dashboards, a file each."""

from deploy.dashboards.boards._drift import DRIFT
from deploy.dashboards.boards._model_performance import MODEL_PERFORMANCE
from deploy.dashboards.boards._overview import OVERVIEW
from deploy.dashboards.boards._system_health import SYSTEM_HEALTH
from deploy.dashboards.boards._training import TRAINING
from deploy.dashboards.boards._user_analytics import USER_ANALYTICS

BOARDS = (OVERVIEW, MODEL_PERFORMANCE, SYSTEM_HEALTH, USER_ANALYTICS, TRAINING, DRIFT)

__all__ = ["BOARDS"]
