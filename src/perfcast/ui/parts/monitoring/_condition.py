"""How the server is: its state, what it depends on, what is wrong and what that means."""

from collections.abc import Mapping

import streamlit as st

from perfcast.ui._server import fresh
from perfcast.ui.parts._words import amount, duration, share
from perfcast.ui.parts.monitoring._runbooks import runbook
from perfcast.ui.parts.monitoring._tiles import tiles
from perfcast_client.answers import Dependency, Health

_STATES = {
    "healthy": (":green[:material/check_circle: **Healthy**]", "all that it depends on answers"),
    "degraded": (":orange[:material/warning: **Degraded**]", "it answers, but something below is wrong"),
    "unhealthy": (":red[:material/error: **Unhealthy**]", "no model can answer: predictions are refused with 503"),
}
_DEPENDENCY_STATES = {
    "up": ":green[:material/check: up]",
    "down": ":red[:material/close: down]",
    "starting": ":gray[:material/hourglass: starting]",
}
_NEEDED = {
    "database": "records, actuals, versions, jobs; predictions go on without it",
    "artifacts": "graphs that aren't in memory yet; those that are answer without it",
    "redis": "limits shared by replicas, waking workers at once; predictions go on without it",
}
_PROBLEMS = {
    "disk": ("Predictions go on; records, actuals and jobs end when it is full.", "PerfcastDiskFull"),
    "prediction_records": ("They are missing from live accuracy and drift for good.", "PerfcastRecordsLost"),
    "predictions": ("Live accuracy, intervals and drift stand still meanwhile.", "PerfcastActualsWait"),
}
_OF_A_MODEL = ("The version before goes on answering, if there is one.", "PerfcastModelNotLoaded")


def condition() -> None:
    """State, problems, dependencies and the machine."""
    health = fresh(lambda api: api.health(), "health")
    state, meaning = _STATES.get(health.status, (health.status, ""))
    models = "1 model" if health.models_loaded == 1 else f"{health.models_loaded} models"
    place = f"on {health.inference.device.upper()} by ONNX Runtime {health.inference.runtime}"
    st.markdown(f"{state} · {meaning}")
    st.caption(f"Up for {duration(health.uptime_seconds)} · {models} in memory, {place} · Perfcast {health.version}")
    _problems(health)
    _dependencies(health.dependencies)
    _machine(health)


def _problems(health: Health) -> None:
    show = st.error if health.status == "unhealthy" else st.warning
    for name, words in health.problems.items():
        meaning, section = _PROBLEMS.get(name, _OF_A_MODEL)
        show(f"**{name}**: {words}  \n{meaning} {runbook(section)}", icon=":material/warning:")
    for name, words in health.notes.items():
        st.caption(f":material/info: {name}: {words}")


def _dependencies(dependencies: Mapping[str, Dependency]) -> None:
    down = {name: one for name, one in dependencies.items() if one.status == "down"}
    for name, one in down.items():
        st.warning(
            f"**{name}** is down: {one.reason}  \n{runbook('PerfcastDependencyDown')}", icon=":material/link_off:"
        )
    columns = {
        "Depends on": list(dependencies),
        "State": [_DEPENDENCY_STATES.get(one.status, one.status) for one in dependencies.values()],
        "Answers in": [amount(one.latency_ms, "ms", 2) for one in dependencies.values()],
        "Needed for": [_NEEDED.get(name, "") for name in dependencies],
    }
    st.table(columns, border="horizontal", hide_index=True, alt="What the server depends on, and how it is")


def _machine(health: Health) -> None:
    system = health.system_info
    shown = {
        "Processors in use": share(system.cpu_percent),
        "Memory in use": share(system.memory_percent),
        "Memory free": amount(system.available_memory_gb, "GB"),
        "Disk in use": share(system.disk_percent),
    }
    tiles(shown)
