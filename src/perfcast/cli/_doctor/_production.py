"""The checklist for production, in the order in which it is worked through."""

from perfcast.cli._doctor import _callers, _machine, _secrets, _state, _watching
from perfcast.cli._doctor._deployment import Deployment
from perfcast.cli._doctor._finding import Check

CHECKS: tuple[Check[Deployment], ...] = (
    _watching.grafana,
    _callers.tls,
    _callers.rate_limit,
    _callers.interfaces,
    _machine.ports,
    _callers.authentication,
    _callers.keys_age,
    _machine.updates,
    _watching.alerts,
    # What the predecessors' list doesn't have.
    _callers.proxies,
    _callers.request_bounds,
    _secrets.passwords,
    _secrets.open_wires,
    _secrets.files,
    _secrets.passed_on,
    _machine.account,
    _machine.debugging,
    _machine.disk,
    _state.database,
    _state.backups,
    _state.retention,
    _state.foreign_models,
)
