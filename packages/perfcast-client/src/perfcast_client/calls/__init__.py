"""Every call of the HTTP contract as a function that makes a `Call` and does no I/O; both clients bind these.

`client.raw(calls.predict({...}))` sends one and gives the whole answer.
"""

from perfcast_client._call import Call, Calls, Repeat
from perfcast_client.calls._batches import predict_batch
from perfcast_client.calls._capacity import autoscale, headroom, runway
from perfcast_client.calls._data import (
    dataset_rows,
    get_dataset,
    get_workload,
    judged_rows,
    list_datasets,
    list_workloads,
)
from perfcast_client.calls._jobs import cancel_job, follow_job, get_job, list_jobs, train
from perfcast_client.calls._models import (
    activate,
    benchmark,
    card,
    clear_alias,
    deactivate,
    delete_version,
    drift,
    get_model,
    list_models,
    model_history,
    set_alias,
    set_traffic,
    traffic,
    upload_version,
    version_metrics,
)
from perfcast_client.calls._networks import networks, predict_network
from perfcast_client.calls._predictions import explain, feedback, feedback_batch, predict
from perfcast_client.calls._schedules import (
    get_schedule,
    list_schedules,
    remove_schedule,
    schedule_history,
    set_schedule,
)
from perfcast_client.calls._service import about, health, live, metrics, ready

__all__ = [
    "Call",
    "Calls",
    "Repeat",
    "about",
    "activate",
    "autoscale",
    "benchmark",
    "cancel_job",
    "card",
    "clear_alias",
    "dataset_rows",
    "deactivate",
    "delete_version",
    "drift",
    "explain",
    "feedback",
    "feedback_batch",
    "follow_job",
    "get_dataset",
    "get_job",
    "get_model",
    "get_schedule",
    "get_workload",
    "headroom",
    "health",
    "judged_rows",
    "list_datasets",
    "list_jobs",
    "list_models",
    "list_schedules",
    "list_workloads",
    "live",
    "metrics",
    "model_history",
    "networks",
    "predict",
    "predict_batch",
    "predict_network",
    "ready",
    "remove_schedule",
    "runway",
    "schedule_history",
    "set_alias",
    "set_schedule",
    "set_traffic",
    "traffic",
    "train",
    "upload_version",
    "version_metrics",
]
